/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-client: a client of the hook socket that is not the hook
 *
 *   hook-client SOCKET            send stdin, print the answer until the other side hangs
 *                                 up, two seconds at most
 *   hook-client SOCKET N          be N silent clients; prints "ready", ends at the end of its stdin */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
connect_to(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return fd;
}

/* Copy until either side closes. */
static void
send_stdin(int fd)
{
    char buf[65536];
    ssize_t len;

    while ((len = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
        for (ssize_t done = 0, n; done < len; done += n) {
            n = write(fd, buf + done, (size_t) (len - done));
            if (n < 0)
                return;
        }
    }
}

static void
print_answer(int fd)
{
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    char buf[4096];
    ssize_t len;

    while (poll(&pollfd, 1, 2000) > 0 && (len = read(fd, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, (size_t) len, stdout);
}

int
main(int argc, char **argv)
{
    char end;

    signal(SIGPIPE, SIG_IGN);
    if (argc == 2) {
        int fd = connect_to(argv[1]);

        send_stdin(fd);
        print_answer(fd);
        return EXIT_SUCCESS;
    }
    for (int i = argc == 3 ? atoi(argv[2]) : 0; i > 0; i--)
        (void) connect_to(argv[1]);
    puts("ready");
    fflush(stdout);
    (void) !read(STDIN_FILENO, &end, 1);
    return EXIT_SUCCESS;
}
