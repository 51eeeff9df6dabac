/* Following a table: its changelog as it grows.
 *
 * Over the Fluss protocol each bucket is asked where it ends, a few times a second. What lies between
 * there and what has been shown is selected from "table$changelog", so that projection and conditions
 * are those of SQL, exactly. New partitions are followed from their beginning. When a connection is lost
 * it is made again, and goes on behind the last row that was shown. Thread: main.
 */
#ifndef CMD_FOLLOW_H
#define CMD_FOLLOW_H

#include "tool_client.h"

#include "shell/shell.h"

enum follow_from { FOLLOW_EARLIEST, FOLLOW_LATEST, FOLLOW_OFFSET, FOLLOW_TIME };

struct follow_options {
    struct place server;
    struct place sql;
    const char *database;
    const char *table;
    enum follow_from from;
    int64_t offset;      /* FOLLOW_OFFSET */
    const char *time;    /* FOLLOW_TIME: milliseconds, or what SQL takes for a time */
    const char *where;   /* NULL: all rows */
    const char *columns; /* by commas; NULL: all */
    enum output_format format;
    int64_t limit; /* 0: none */
};

/* Until it is interrupted, has shown enough, or nobody reads. ERR_NETWORK: no connection at the begin;
 * ERR_UNSUPPORTED_OPERATION: what SQL says to the statement; ERR_TABLE_NOT_EXIST: there is none of the name, or
 * it is another one now. */
MUST_USE enum errcode follow(const struct follow_options *options, struct error *e);

/* The condition that rows are of this bucket and below `end`, from `from` on. ERR_UNSUPPORTED_OPERATION:
 * a partition column has a type that is not compared. */
struct follow_range {
    const struct tool_table *table;
    const struct tool_bucket *bucket;
    int64_t from;
    int64_t end;
};
MUST_USE enum errcode follow_condition(const struct follow_range *range, struct buffer *out,
                                       struct error *e);
/* "a, b" as quoted names. */
void follow_put_columns(const char *columns, struct buffer *out);

#endif
