/* Load generator for Socket.IO servers: many WebSocket clients on one thread.
 *
 * Commands come on standard input, one a line; each is answered with one line of JSON on
 * standard output. Between commands, heartbeats are answered. Every frame is checked: that it is
 * a text frame of its own, of the agreed size, and that each member gets every message of every
 * sender once and in order.
 *
 *   connect COUNT PARALLEL PORT [PORT]  open clients, PARALLEL handshakes at a time
 *   join ROOMS                          every client joins one of ROOMS rooms, all of one size,
 *                                       and is answered
 *   flood MESSAGES IN_FLIGHT            send the next message when all but IN_FLIGHT - 1 of those
 *                                       sent have, in the sum of all members, arrived
 *   pace MESSAGES PER_SECOND            send at fixed times, whatever has arrived
 *   ack COUNT                           one client asks COUNT times and waits for each answer
 *   close                               close all clients
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SENDERS = 8,          /* clients that take turns at sending */
    MESSAGE_FRAME = 300,  /* bytes of a newMessage frame, its header included */
    READ_BYTES = 256 << 10,
    CARRY_BYTES = 4096,   /* an incomplete frame or HTTP answer */
    DEADLINE_S = 120,     /* without any progress, a command has failed */
    EVENTS = 256,
    SURPLUS_WAIT_NS = 5000000, /* after the last delivery, for one that is too many */
};

static const char NEW_MESSAGE[] = "42[\"newMessage\",";
static const char MARK[] = "\"content\":\"";

enum { TEXT = 1, PING = 9, PONG = 10 }; /* opcodes of frames, RFC 6455, section 5.2 */

enum state { CLOSED, CONNECTING, UPGRADING, OPENING, ADMITTED };

struct client {
    int fd;
    enum state state;
    bool waits;                 /* for an acknowledgement */
    uint32_t expected[SENDERS]; /* number of the next message of each sender */
    uint64_t order;             /* digest of the numbers in the order of their arrival */
    uint32_t carried;
    char *carry;
};

/* Latencies by their leading six bits: relative error below 1.6 %. */
struct histogram {
    uint64_t count;
    uint32_t buckets[64 * 64];
};

static struct client *clients;
static int client_count, epoll_fd;
static int room_count = 1;
static int ports[8], port_count;
static int admitted, acknowledged;
static uint32_t next_number; /* of the next message */
static uint64_t sent, received, bytes_received;
static uint64_t disorders, bad_frames;
static struct histogram latencies;
static char read_buffer[READ_BYTES + CARRY_BYTES];
static uint64_t progress_at;

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t members(void) { return (uint64_t)(client_count / room_count); }

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("{\"error\": \"", stdout);
    vprintf(format, values);
    printf(", sent %lu, received %lu of %lu\"}\n", sent, received, sent * members());
    fflush(stdout);
    exit(1);
}

static void note(struct histogram *histogram, uint64_t value) {
    int exponent = value < 64 ? 0 : 58 - __builtin_clzll(value);
    histogram->buckets[exponent * 64 + (value >> exponent) % 64]++;
    histogram->count++;
}

/* Microseconds below which a share of the values lies. */
static double quantile(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)((double)histogram->count * share), seen = 0;
    for (int bucket = 0; bucket < 64 * 64; bucket++) {
        seen += histogram->buckets[bucket];
        if (histogram->buckets[bucket] && seen > wanted) {
            int exponent = bucket / 64;
            uint64_t low = (uint64_t)(bucket % 64) << exponent;
            return (double)(low + (1ull << exponent) / 2) / 1000.0;
        }
    }
    return 0;
}

/* ---------------------------------------------------------------- sending */

/* A masked frame; its masking key is 0, so the payload stands as it is. */
static void send_frame(struct client *client, int opcode, const char *payload, size_t size) {
    char frame[1024] = {(char)(0x80 | opcode)};
    size_t header = size < 126 ? 6 : 8;
    if (header + size > sizeof frame)
        fail("a frame of %zu bytes cannot be sent", size);
    if (size < 126) {
        frame[1] = (char)(0x80 | size);
    } else {
        frame[1] = (char)(0x80 | 126);
        frame[2] = (char)(size >> 8);
        frame[3] = (char)size;
    }
    memcpy(frame + header, payload, size);
    if (send(client->fd, frame, header + size, MSG_NOSIGNAL) != (ssize_t)(header + size))
        fail("client %ld could not send: %s", client - clients, strerror(errno));
}

__attribute__((format(printf, 2, 3))) static void send_text(struct client *client,
                                                            const char *format, ...) {
    char text[1000];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    send_frame(client, TEXT, text, (size_t)size);
}

/* Of each room. */
static int senders(void) { return members() < SENDERS ? (int)members() : SENDERS; }

/* Members of a room are on all ports in turn, as a load balancer would have it. */
static int room_of(int index) { return index / port_count % room_count; }
static int member(int room, int place) {
    return (place / port_count * room_count + room) * port_count + place % port_count;
}

/* The number by which servers know a room; the only room there is has a short one. */
static int book_of(int room) { return room_count == 1 ? 1 : 100001 + room; }

/* The content makes the frame that every server builds from it MESSAGE_FRAME bytes long. */
static void send_message(void) {
    static const char shape[] =
        "42[\"newMessage\",{\"_id\":\"0123456789abcdef01234567\",\"bookId\":1,"
        "\"userId\":\"reader0000\",\"username\":\"Reader 0000\",\"content\":\"\","
        "\"createdAt\":\"2000-01-01T00:00:00.000Z\",\"updatedAt\":\"2000-01-01T00:00:00.000Z\"}]";
    enum { CONTENT = MESSAGE_FRAME - 4 - (int)(sizeof shape - 1) };
    char content[CONTENT + 1];
    int room = (int)(next_number % (uint32_t)room_count), length = CONTENT;
    uint32_t number = next_number / (uint32_t)room_count; /* inside the room */
    int place = (int)(number % (uint32_t)senders()) * ((int)members() / senders());
    int index = member(room, place);
    int size = snprintf(content, sizeof content, "%08x%016lx", number, now_ns());
    for (int book = book_of(room); book > 9; book /= 10)
        length--;
    memset(content + size, '.', (size_t)(length - size));
    content[length] = 0;
    send_text(&clients[index],
              "42[\"chatMessage\",{\"bookId\":%d,\"userId\":\"reader%04d\","
              "\"username\":\"Reader %04d\",\"content\":\"%s\"}]",
              book_of(room), index % 10000, index % 10000, content);
    next_number++;
    sent++;
}

/* ---------------------------------------------------------------- receiving */

static uint64_t hexadecimal(const char *digits, int count) {
    uint64_t value = 0;
    for (int place = 0; place < count; place++)
        value = value << 4 | (uint64_t)(digits[place] <= '9' ? digits[place] - '0'
                                                              : digits[place] - 'a' + 10);
    return value;
}

static void take_message(struct client *client, const char *text, size_t size, uint64_t now) {
    const char *content = memmem(text, size, MARK, sizeof MARK - 1);
    if (content == NULL || size + 4 != MESSAGE_FRAME) {
        bad_frames++;
        return;
    }
    content += sizeof MARK - 1;
    uint32_t number = (uint32_t)hexadecimal(content, 8);
    uint32_t sender = number % (uint32_t)senders();
    if (number != client->expected[sender])
        disorders++;
    client->expected[sender] = number + (uint32_t)senders();
    client->order = client->order * 1099511628211u + number;
    received++;
    note(&latencies, now - hexadecimal(content + 8, 16));
}

static void take_text(struct client *client, const char *text, size_t size, uint64_t now) {
    if (size > sizeof NEW_MESSAGE && !memcmp(text, NEW_MESSAGE, sizeof NEW_MESSAGE - 1)) {
        take_message(client, text, size, now);
    } else if (size == 1 && text[0] == '2') {
        send_text(client, "3");
    } else if (size > 2 && text[0] == '4' && text[1] == '3') {
        acknowledged += client->waits;
        client->waits = false;
    } else if (size > 1 && text[0] == '0' && client->state == OPENING) {
        send_text(client, "40");
    } else if (size > 2 && text[0] == '4' && text[1] == '0' && client->state == OPENING) {
        client->state = ADMITTED;
        admitted++;
    } else {
        fail("client %ld got an unexpected packet: %.*s", client - clients,
             (int)(size < 40 ? size : 40), text);
    }
}

/* Handle every whole frame; the number of bytes that were used. */
static size_t take_frames(struct client *client, const char *bytes, size_t size, uint64_t now) {
    size_t used = 0;
    while (size - used >= 2) {
        const unsigned char *frame = (const unsigned char *)bytes + used;
        size_t header = 2, payload = frame[1] & 0x7f;
        if ((frame[0] != (0x80 | TEXT) && frame[0] != (0x80 | PING)) || frame[1] & 0x80)
            fail("client %ld got a frame that begins %02x %02x", client - clients, frame[0],
                 frame[1]);
        if (payload == 126) {
            if (size - used < 4)
                break;
            header = 4;
            payload = (size_t)frame[2] << 8 | frame[3];
        } else if (payload == 127) {
            fail("client %ld got a frame of more than 64 KiB", client - clients);
        }
        if (size - used < header + payload)
            break;
        if (frame[0] == (0x80 | TEXT))
            take_text(client, (const char *)frame + header, payload, now);
        else
            send_frame(client, PONG, (const char *)frame + header, payload);
        used += header + payload;
    }
    return used;
}

static size_t take_upgrade(struct client *client, const char *bytes, size_t size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    if (memmem(bytes, size, " 101 ", 5) == NULL)
        fail("client %ld was refused: %.12s", client - clients, bytes);
    client->state = OPENING;
    return (size_t)(end + 4 - bytes);
}

static void ask_for_upgrade(struct client *client) {
    char request[512];
    int failure = 0;
    socklen_t length = sizeof failure;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failure, &length);
    if (failure)
        fail("client %ld could not connect: %s", client - clients, strerror(failure));
    int size = snprintf(request, sizeof request,
                        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                        "Host: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                        ports[(client - clients) % port_count]);
    client->state = UPGRADING;
    if (send(client->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        fail("client %ld could not send: %s", client - clients, strerror(errno));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
}

static void read_from(struct client *client) {
    memcpy(read_buffer, client->carry, client->carried);
    ssize_t got = recv(client->fd, read_buffer + client->carried, READ_BYTES, 0);
    if (got <= 0 && !(got < 0 && errno == EAGAIN))
        fail("client %ld lost its connection: %s", client - clients,
             got ? strerror(errno) : "closed by the server");
    if (got <= 0)
        return;
    uint64_t now = now_ns();
    size_t size = client->carried + (size_t)got, used = 0;
    bytes_received += (uint64_t)got;
    progress_at = now;
    if (client->state == UPGRADING)
        used = take_upgrade(client, read_buffer, size);
    if (client->state != UPGRADING)
        used += take_frames(client, read_buffer + used, size - used, now);
    client->carried = (uint32_t)(size - used);
    if (client->carried > CARRY_BYTES)
        fail("client %ld got a frame of more than %d bytes", client - clients, CARRY_BYTES);
    memcpy(client->carry, read_buffer + used, client->carried);
}

/* Wait at most so long for the network; whether a command can be read. */
static bool turn(int64_t timeout_ns) {
    struct epoll_event events[EVENTS];
    struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    int count = epoll_pwait2(epoll_fd, events, EVENTS, timeout_ns < 0 ? NULL : &timeout, NULL);
    bool has_command = false;
    for (int index = 0; index < count; index++) {
        struct client *client = events[index].data.ptr;
        if (client == NULL && events[index].events & EPOLLHUP)
            exit(0); /* nobody is left to report to */
        else if (client == NULL)
            has_command = true;
        else if (client->state == CONNECTING)
            ask_for_upgrade(client);
        else if (client->state != CLOSED)
            read_from(client);
    }
    return has_command;
}

/* One turn of a command that waits for an answer, for which there is a deadline. */
static void wait_for_progress(void) {
    turn(1000000000);
    if (now_ns() - progress_at > DEADLINE_S * 1000000000ull)
        fail("nothing arrived for %d s", DEADLINE_S);
}

/* ---------------------------------------------------------------- commands */

static void open_client(int index) {
    struct client *client = &clients[index];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)ports[index % port_count])};
    int on = 1;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        fail("client %d has no socket: %s", index, strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->state = CONNECTING;
    client->carry = malloc(CARRY_BYTES);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("client %d could not connect: %s", index, strerror(errno));
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event);
}

static void connect_clients(int count, int parallel) {
    clients = calloc((size_t)count, sizeof *clients);
    client_count = count;
    admitted = 0;
    room_count = 1;
    uint64_t start = now_ns(), cpu = cpu_ns();
    int opened = 0;
    while (admitted < count) {
        while (opened < count && opened - admitted < parallel)
            open_client(opened++);
        wait_for_progress();
    }
    printf("{\"seconds\": %.6f, \"generator_cpu_s\": %.6f}\n", (double)(now_ns() - start) / 1e9,
           (double)(cpu_ns() - cpu) / 1e9);
}

static void join_rooms(int count) {
    if (count < 1 || (count > 1 && client_count % (count * port_count)))
        fail("%d clients cannot fill %d rooms evenly", client_count, count);
    room_count = count;
    for (int index = 0; index < client_count; index++)
        for (int sender = 0; sender < senders(); sender++)
            clients[index].expected[sender] = (uint32_t)sender;
    next_number = 0;
    acknowledged = 0;
    for (int index = 0, wanted = 0; index < client_count; index++) {
        clients[index].waits = true;
        send_text(&clients[index],
                  "421[\"joinRoom\",{\"bookId\":%d,\"userId\":\"reader%04d\","
                  "\"username\":\"Reader %04d\"}]",
                  book_of(room_of(index)), index % 10000, index % 10000);
        wanted++;
        while (acknowledged < wanted)
            wait_for_progress();
    }
    printf("{}\n");
}

static void begin_phase(void) {
    sent = received = bytes_received = disorders = bad_frames = 0;
    memset(&latencies, 0, sizeof latencies);
    for (int index = 0; index < client_count; index++)
        clients[index].order = 0;
    progress_at = now_ns();
}

static bool is_one_order(void) {
    for (int index = 0; index < client_count; index++)
        if (clients[index].order != clients[member(room_of(index), 0)].order)
            return false;
    return true;
}

static void report_phase(uint64_t start, uint64_t cpu) {
    double seconds = (double)(now_ns() - start) / 1e9, cpu_s = (double)(cpu_ns() - cpu) / 1e9;
    while (progress_at + SURPLUS_WAIT_NS > now_ns())
        turn(SURPLUS_WAIT_NS);
    printf("{\"messages\": %lu, \"deliveries\": %lu, \"missing\": %ld, \"disorders\": %lu, "
           "\"bad_frames\": %lu, \"one_order\": %s, \"bytes\": %lu, \"seconds\": %.6f, "
           "\"generator_cpu_s\": %.6f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           sent, received, (long)(sent * members()) - (long)received, disorders,
           bad_frames, is_one_order() ? "true" : "false", bytes_received, seconds, cpu_s,
           quantile(&latencies, 0.5), quantile(&latencies, 0.99));
}

static void flood(uint64_t messages, uint64_t in_flight) {
    begin_phase();
    uint64_t start = now_ns(), cpu = cpu_ns();
    while (received < messages * members()) {
        while (sent < messages && sent * members() <= received + (in_flight - 1) * members())
            send_message();
        wait_for_progress();
    }
    report_phase(start, cpu);
}

static void pace(uint64_t messages, double per_second) {
    begin_phase();
    uint64_t start = now_ns(), cpu = cpu_ns(), wanted = messages * members();
    while (received < wanted) {
        uint64_t due = start + (uint64_t)((double)sent / per_second * 1e9), now = now_ns();
        if (sent == messages)
            wait_for_progress();
        else if (due <= now)
            send_message();
        else
            turn((int64_t)(due - now));
    }
    report_phase(start, cpu);
}

static void ask(int count) {
    begin_phase();
    for (int index = 0; index < count; index++) {
        uint64_t asked = now_ns();
        acknowledged = 0;
        clients[0].waits = true;
        send_text(&clients[0], "427[\"ackTest\",{\"bookId\":1}]");
        while (!acknowledged)
            wait_for_progress();
        note(&latencies, now_ns() - asked);
    }
    printf("{\"p50_us\": %.1f, \"p99_us\": %.1f}\n", quantile(&latencies, 0.5),
           quantile(&latencies, 0.99));
}

static void close_clients(void) {
    for (int index = 0; index < client_count; index++) {
        close(clients[index].fd);
        free(clients[index].carry);
    }
    free(clients);
    clients = NULL;
    client_count = 0;
    printf("{}\n");
}

static void obey(char *line) {
    char *command = strtok(line, " \n");
    double numbers[10] = {0};
    int count = 0;
    for (char *word; count < 10 && (word = strtok(NULL, " \n"));)
        numbers[count++] = atof(word);
    progress_at = now_ns();
    if (command == NULL) {
        return;
    } else if (!strcmp(command, "connect") && count > 2) {
        port_count = count - 2;
        for (int index = 0; index < port_count; index++)
            ports[index] = (int)numbers[2 + index];
        connect_clients((int)numbers[0], (int)numbers[1]);
    } else if (!strcmp(command, "join") && count == 1) {
        join_rooms((int)numbers[0]);
    } else if (!strcmp(command, "flood") && count == 2) {
        flood((uint64_t)numbers[0], (uint64_t)numbers[1]);
    } else if (!strcmp(command, "pace") && count == 2) {
        pace((uint64_t)numbers[0], numbers[1]);
    } else if (!strcmp(command, "ack") && count == 1) {
        ask((int)numbers[0]);
    } else if (!strcmp(command, "close")) {
        close_clients();
    } else {
        fail("unknown command: %s", command);
    }
    fflush(stdout);
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    char line[256];
    for (;;) {
        while (!turn(-1))
            ;
        if (fgets(line, sizeof line, stdin) == NULL)
            return 0;
        obey(line);
    }
}
