/* Inside shell/: the shell that a person sees. Thread: main. */
#ifndef SHELL_INTERACTIVE_H
#define SHELL_INTERACTIVE_H

#include "session.h"

/* Runs until the person ends it, or the server is gone for good; the exit code. */
int interactive_run(struct shell *s);

#endif
