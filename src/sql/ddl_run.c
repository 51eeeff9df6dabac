/* The jobs that statements about the catalog become. */
#include "ddl.h"
#include "failure.h"
#include "job.h"
#include "names.h"

#include <stdio.h>

/* What a table or database is called in the job. */
struct target {
    struct bytes database;
    struct bytes table;
};

static bool find_database(const struct sql_session *s, const struct sql_name *name,
                          struct target *ret)
{
    const struct meta_database *found =
        meta_view_database(s->view, bytes_str(name->name)); /* as it was written */

    ret->database = bytes_str(found != NULL ? found->name : name->name);
    return true;
}

/* A table that is there is called by its own name, in whatever case it was asked for. */
static bool find_target(const struct ddl *ddl, const struct sql_session *s,
                        const struct sql_name *name, struct target *ret, struct sql_error *e)
{
    const struct meta_table *table = NULL;
    const char *database = names_database(s, name);
    struct sql_error missing;

    if (ddl->kind == DDL_CREATE_DATABASE || ddl->kind == DDL_DROP_DATABASE) {
        return find_database(s, name, ret);
    }
    if (database == NULL) {
        return sql_fail(e, "3F000", "no schema has been selected to create in");
    }
    *ret = (struct target){bytes_str(database), bytes_str(name->name)};
    if (ddl->kind != DDL_CREATE_TABLE && names_table(s, name, &table, &missing)) {
        *ret = (struct target){bytes_str(table->database), bytes_str(table->name)};
    }
    return true;
}

static void fill(struct job *job, const struct ddl *ddl, const struct target *t)
{
    static const enum meta_job_kind kinds[] = {
        [DDL_CREATE_DATABASE] = META_CREATE_DATABASE,
        [DDL_DROP_DATABASE] = META_DROP_DATABASE,
        [DDL_CREATE_TABLE] = META_CREATE_TABLE,
        [DDL_DROP_TABLE] = META_DROP_TABLE,
        [DDL_ALTER_TABLE] = META_ALTER_TABLE,
        [DDL_CREATE_PARTITION] = META_CREATE_PARTITION,
        [DDL_DROP_PARTITION] = META_DROP_PARTITION,
    };

    switch (ddl->kind) {
    case DDL_CREATE_DATABASE:
        job->create_database.database = t->database;
        job->create_database.json = ddl->json;
        job->create_database.ignore_if_exists = ddl->if_exists;
        break;
    case DDL_DROP_DATABASE:
        job->drop_database.database = t->database;
        job->drop_database.ignore_if_not_exists = ddl->if_exists;
        job->drop_database.cascade = ddl->cascade;
        break;
    case DDL_CREATE_TABLE:
        job->create_table.database = t->database;
        job->create_table.table = t->table;
        job->create_table.json = ddl->json;
        job->create_table.ignore_if_exists = ddl->if_exists;
        break;
    case DDL_DROP_TABLE:
        job->drop_table.database = t->database;
        job->drop_table.table = t->table;
        job->drop_table.ignore_if_not_exists = ddl->if_exists;
        break;
    case DDL_ALTER_TABLE:
        job->alter_table.database = t->database;
        job->alter_table.table = t->table;
        job->alter_table.changes = ddl->changes;
        job->alter_table.change_count = ddl->change_count;
        job->alter_table.columns = ddl->columns;
        job->alter_table.column_count = ddl->column_count;
        job->alter_table.ignore_if_not_exists = ddl->if_exists;
        break;
    case DDL_CREATE_PARTITION:
        job->create_partition.database = t->database;
        job->create_partition.table = t->table;
        job->create_partition.spec = ddl->spec;
        job->create_partition.spec_count = ddl->spec_count;
        job->create_partition.ignore_if_exists = ddl->if_exists;
        break;
    case DDL_DROP_PARTITION:
        job->drop_partition.database = t->database;
        job->drop_partition.table = t->table;
        job->drop_partition.spec = ddl->spec;
        job->drop_partition.spec_count = ddl->spec_count;
        job->drop_partition.ignore_if_not_exists = ddl->if_exists;
        break;
    }
    job->job.kind = kinds[ddl->kind];
}

static bool explain(const struct ddl *ddl, size_t at, const struct error *why, struct sql_error *e)
{
    (void)failure_of(e, why);
    e->position = ddl->names[at].position;
    if (why->code == ERR_DATABASE_NOT_EMPTY) {
        (void)snprintf(e->hint, sizeof e->hint, "Use DROP ... CASCADE to drop its tables, too.");
    } else if (at > 0) {
        (void)snprintf(e->hint, sizeof e->hint, "What stands before it in the list is dropped.");
    }
    return false;
}

bool ddl_run(const struct ddl *ddl, struct sql_session *s, struct sql_error *e)
{
    for (size_t i = 0; i < ddl->name_count; i++) {
        struct job job = {0};
        struct target target = {BYTES_EMPTY, BYTES_EMPTY};
        struct error why;

        if (!find_target(ddl, s, &ddl->names[i], &target, e)) {
            return false;
        }
        fill(&job, ddl, &target);
        if (job_run(s, &job, &why) != ERR_OK) {
            return explain(ddl, i, &why, e);
        }
    }
    return true;
}
