#include "flag.h"

#include <string.h>

const char *flag_value(const char *flag, int argc, char **argv, int *at)
{
    size_t len = strlen(flag);

    if (strncmp(argv[*at], flag, len) != 0) {
        return NULL;
    }
    if (argv[*at][len] == '=') {
        return argv[*at] + len + 1;
    }
    return argv[*at][len] == '\0' ? (*at + 1 < argc ? argv[++*at] : "") : NULL;
}
