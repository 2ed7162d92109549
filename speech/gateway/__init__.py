"""Live talk with a book over Socket.IO: sound in, transcript and voice out."""
