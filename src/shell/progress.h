/* How far a long answer has come, on one line of the terminal. Thread: main. */
#ifndef SHELL_PROGRESS_H
#define SHELL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRESS_TEXT_MAX 96

struct progress {
    FILE *to;        /* NULL: nobody looks */
    bool until_rows; /* not while rows are being shown */
    bool shown;
    int64_t started_us;
    int64_t next_us;
};

void progress_start(struct progress *p, FILE *to, bool until_rows);
/* Now and then writes the line anew. */
void progress_step(struct progress *p, uint64_t rows, uint64_t bytes);
/* Takes the line away before something else is written. */
void progress_clear(struct progress *p);

/* "[  <=>   ] 1.2 M rows, 3.4 MB, 1.2 s"; elapsed decides where the mark stands. */
void progress_text(char text[PROGRESS_TEXT_MAX], uint64_t rows, uint64_t bytes, int64_t elapsed_us);

#endif
