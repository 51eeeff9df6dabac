#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool terminal_is(int fd) { return isatty(fd) == 1; }

unsigned terminal_columns(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

enum errcode descriptor_write(int fd, struct bytes b, struct error *e)
{
    while (b.len > 0) {
        ssize_t sent = write(fd, b.data, b.len);

        if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};

            (void)poll(&wait, 1, -1);
        } else if (sent < 0 && errno != EINTR) {
            return error_os(e, errno, "write");
        } else if (sent > 0) {
            b = bytes_slice(b, (size_t)sent, b.len - (size_t)sent);
        }
    }
    return ERR_OK;
}

int interrupt_open(void)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool interrupt_take(int fd)
{
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof info) == (ssize_t)sizeof info;
}

enum errcode stream_read(FILE *in, void *buffer, size_t len, size_t *ret, struct error *e)
{
    size_t got = fread(buffer, 1, len, in);

    if (ferror(in) != 0) {
        return error_os(e, errno, "read the input");
    }
    *ret = got;
    return ERR_OK;
}
