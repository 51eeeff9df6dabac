/* Inside shell/: commands that begin with a backslash. Thread: main. */
#ifndef SHELL_COMMAND_H
#define SHELL_COMMAND_H

#include "session.h"

/* text: behind the backslash, without the end of the line. */
enum session_result command_run(struct shell *s, struct bytes text);

#endif
