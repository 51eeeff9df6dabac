#include "running.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define WORDS_MAX 16
#define STOP_US   1000000 /* what a stop may take */

/* A command in a child: its output is in `text` when it has ended, or as soon as it is a line. */
struct child {
    pid_t pid;
    int out;
    char text[65536];
    size_t len;
};

static void child_start(struct child *c, int (*command)(int, char **), char *const words[])
{
    char *argv[WORDS_MAX] = {NULL};
    int ends[2];
    int argc = 0;

    *c = (struct child){.len = 0};
    while (words[argc] != NULL) {
        argv[argc] = words[argc];
        argc++;
    }
    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    c->pid = fork();
    if (c->pid == 0) {
        int code;

        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        code = command(argc, argv);
        (void)fflush(stdout);
        _exit(code);
    }
    (void)close(ends[1]);
    c->out = ends[0];
}

static bool child_read(struct child *c)
{
    ssize_t n = read(c->out, c->text + c->len, sizeof c->text - 1 - c->len);

    if (n > 0) {
        c->len += (size_t)n;
    }
    return n > 0;
}

static int child_end(struct child *c)
{
    int status = 0;

    while (child_read(c)) {
    }
    (void)close(c->out);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run(int (*command)(int, char **), char *const words[], struct child *c)
{
    child_start(c, command, words);
    return child_end(c);
}

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static void child_serves(struct child *c, struct rpc_client **ret)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    const char *address;
    struct error e;

    while (strchr(c->text, '\n') == NULL) {
        assert_true(child_read(c));
    }
    address = strstr(c->text, "\"address\":\"127.0.0.1:");
    assert_non_null(address);
    assert_non_null(strstr(c->text, arena_printf(&arena, "\"pid\":%d,", c->pid)));
    assert_non_null(strstr(c->text, "\"durability\":\"fsync\""));
    address = strchr(address + 11, ':') + 1;
    if (rpc_client_open("127.0.0.1", (uint16_t)strtol(address, NULL, 10), ret, &e) != ERR_OK ||
        rpc_client_handshake(*ret, "test", CALL_US, &e) != ERR_OK) {
        fail_msg("%s", e.message);
    }
}

static void stops_on(struct running *r, int signal_number)
{
    struct child c;
    OWNED(rpc_client_freep) struct rpc_client *client = NULL;
    int64_t asked_us;

    child_start(&c, cmd_server,
                WORDS("server", "--data-dir", r->dir, "--port", "0", "--shards", "2"));
    child_serves(&c, &client);
    asked_us = clock_mono_us();
    assert_int_equal(kill(c.pid, signal_number), 0);
    assert_int_equal(child_end(&c), 0);
    assert_true(clock_mono_us() - asked_us < STOP_US);
    assert_true(is_clean(r));
}

static void serves_until_a_signal(void **state)
{
    struct running *r = *state;

    stops_on(r, SIGTERM);
    stops_on(r, SIGINT);
}

static void a_start_that_fails_says_so(void **state)
{
    struct running *r = *state;
    struct child c;
    char *port;

    running_start(r);
    port = arena_printf(&r->arena, "%u", r->server->listeners[0].port);
    assert_int_equal(run(cmd_server, WORDS("server", "--ephemeral", "--port", port), &c), 1);
    assert_int_equal(c.len, 0); /* nothing on stdout */
    assert_int_equal(run(cmd_server, WORDS("server", "--data-dir", r->dir, "--port", "0"), &c), 1);
}

static void wrong_usage_is_exit_code_2(void **state)
{
    struct child c;

    (void)state;
    assert_int_equal(run(cmd_server, WORDS("server", "--no-such-flag"), &c), 2);
    assert_int_equal(run(cmd_server, WORDS("server", "--ephemeral", "-D", "log.durability=x"), &c),
                     2);
    assert_int_equal(
        run(cmd_server, WORDS("server", "--ephemeral", "-D", "bind.listeners=here"), &c), 2);
    assert_int_equal(c.len, 0);
    assert_int_equal(run(cmd_config, WORDS("config", "what"), &c), 2);
}

static void help_and_options_are_printed(void **state)
{
    struct child c;

    (void)state;
    assert_int_equal(run(cmd_server, WORDS("server", "--help"), &c), 0);
    assert_non_null(strstr(c.text, "--data-dir"));
    assert_int_equal(run(cmd_config, WORDS("config"), &c), 0);
    assert_non_null(strstr(c.text, "log.durability"));
    assert_int_equal(run(cmd_config, WORDS("config", "--json"), &c), 0);
    assert_non_null(strstr(c.text, "\"log.durability\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_TEST(serves_until_a_signal),
        RUNNING_TEST(a_start_that_fails_says_so),
        RUNNING_TEST(wrong_usage_is_exit_code_2),
        RUNNING_TEST(help_and_options_are_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
