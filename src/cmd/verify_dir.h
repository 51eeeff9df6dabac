/* `eider verify DIR`: the data directory of a server that has stopped. Thread: main; reads in a
 * pool. */
#ifndef CMD_VERIFY_DIR_H
#define CMD_VERIFY_DIR_H

#include "verify_report.h"

struct verify_dir_options {
    const char *dir;
    bool repair;      /* rebuild indexes that are wrong */
    unsigned threads; /* at least 1 */
};

/* An error: the directory could not be checked, since a server uses it or it cannot be read. */
MUST_USE enum errcode verify_dir(const struct verify_dir_options *options,
                                 struct verify_report *report, struct error *e);

#endif
