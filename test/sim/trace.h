/* What happened in a simulation, one line each with virtual time, and a hash over all lines: the same
 * seed gives the same hash. Lines are shown only when asked for, but for violations, which always
 * are.
 *
 *   12.345678 disk: sync data/log/...
 *
 * Thread: the only one.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdio.h>

#include "base/check.h"

struct trace;

/* show: print every line to out. The last lines are kept in any case, for trace_show_last. */
struct trace *trace_new(FILE *out, bool show);
void trace_free(struct trace *t);
/* Of which seed violations are; it does not count for the hash. */
void trace_set_seed(struct trace *t, uint64_t seed);
/* What stands before the lines from now on. */
void trace_at(struct trace *t, int64_t now_us);

/* A line, hashed and perhaps shown. `who` is one word: "client 3", "disk", "net", "world". */
void trace_line(struct trace *t, const char *who, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for what must never be; counted, and printed in any case. */
void trace_violation(struct trace *t, const char *who, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Mixes a number into the hash without a line: for what is frequent and dull. */
void trace_mix(struct trace *t, uint64_t value);
/* Whether lines are shown: to save the work of making long ones. Must not change what happens. */
bool trace_shown(const struct trace *t);

uint64_t trace_hash(const struct trace *t);
size_t trace_violations(const struct trace *t);
/* The lines before this one, unless they were shown already. */
void trace_show_last(const struct trace *t);

#endif
