/* Inside sql/: jobs of the coordinator, waited for. Thread: any but a shard's. */
#ifndef SQL_JOB_H
#define SQL_JOB_H

#include "session.h"

struct job {
    union {
        struct meta_job job; /* the start of all of them: kind is filled in by the caller */
        struct meta_create_database create_database;
        struct meta_drop_database drop_database;
        struct meta_create_table create_table;
        struct meta_alter_table alter_table;
        struct meta_drop_table drop_table;
        struct meta_create_partition create_partition;
        struct meta_drop_partition drop_partition;
    };
    struct message message; /* internal, this and the following */
    const struct sql_world *world;
    struct meta_view *view;
    struct gate *gate;
};

/* Runs it. The session's view is then at least as new as what it did. */
MUST_USE enum errcode job_run(struct sql_session *s, struct job *job, struct error *e);

#endif
