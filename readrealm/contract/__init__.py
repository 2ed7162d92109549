"""The published contract: AsyncAPI and TypeScript, written from the types that check the wire."""
