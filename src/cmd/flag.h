/* Flags with a value on a command line. Pure. Thread: any. */
#ifndef CMD_FLAG_H
#define CMD_FLAG_H

/* The value of argv[*at] when that is the flag with this name: behind '=', or the next word, to which
 * *at moves; "" when there is none. NULL: it is another one. Borrowed. */
const char *flag_value(const char *flag, int argc, char **argv, int *at);

#endif
