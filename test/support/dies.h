/* assert_aborts(statement): the statement must end the process by abort(), as a failed ASSERT does.
 * It runs in a child, whose complaint on stderr is dropped. */
#ifndef TEST_SUPPORT_DIES_H
#define TEST_SUPPORT_DIES_H

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_aborts(statement)                                                                   \
    do {                                                                                           \
        pid_t dies_child = fork();                                                                 \
        int dies_status = 0;                                                                       \
                                                                                                   \
        if (dies_child == 0) {                                                                     \
            (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});                                     \
            (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);                                \
            statement;                                                                             \
            _exit(0);                                                                              \
        }                                                                                          \
        assert_true(waitpid(dies_child, &dies_status, 0) == dies_child);                           \
        assert_true(WIFSIGNALED(dies_status) && WTERMSIG(dies_status) == SIGABRT);                 \
    } while (0)

#endif
