/* Inside sql/: statements that change the catalog, as they are read and as they are done. They become
 * the same jobs of the coordinator as requests of Fluss clients, so the same rules hold.
 *
 *   CREATE DATABASE | SCHEMA [IF NOT EXISTS] d [COMMENT 'c'] [WITH ('k' = 'v', ...)]
 *   DROP DATABASE | SCHEMA [IF EXISTS] d, ... [CASCADE | RESTRICT]
 *   CREATE TABLE [IF NOT EXISTS] t (column type [NOT NULL] [COMMENT 'c'] [PRIMARY KEY], ...
 *       [, [CONSTRAINT n] PRIMARY KEY (a, ...) [NOT ENFORCED]]) [COMMENT 'c']
 *       [PARTITIONED BY (a, ...)] [DISTRIBUTED [BY (a, ...)] [INTO n BUCKETS]] [WITH ('k' = 'v', ...)]
 *   DROP TABLE [IF EXISTS] t, ... [CASCADE | RESTRICT]
 *   ALTER TABLE [IF EXISTS] t ADD [COLUMN] a type [COMMENT 'c'], ... | ADD (a type, ...)
 *                           | SET ('k' = 'v', ...) | RESET ('k', ...)
 *                           | ADD [IF NOT EXISTS] PARTITION (a = 'v', ...)
 *                           | DROP [IF EXISTS] PARTITION (a = 'v', ...)
 *
 * Options are those of the Flink connector: bucket.num, bucket.key, auto-increment.fields,
 * fields.<column>.agg and what belongs to it, table.*; others are kept as custom properties.
 */
#ifndef SQL_DDL_H
#define SQL_DDL_H

#include "parse.h"

#include "meta/meta.h"

struct sql_session;

enum ddl_kind {
    DDL_CREATE_DATABASE,
    DDL_DROP_DATABASE,
    DDL_CREATE_TABLE,
    DDL_DROP_TABLE,
    DDL_ALTER_TABLE,
    DDL_CREATE_PARTITION,
    DDL_DROP_PARTITION,
};

struct ddl {
    enum ddl_kind kind;
    const char *tag; /* of the answer */
    bool if_exists;  /* or IF NOT EXISTS */
    bool cascade;
    struct sql_name *names; /* of databases or tables */
    size_t name_count;
    struct bytes json; /* descriptor of what is created */
    struct meta_change *changes;
    size_t change_count;
    struct meta_add_column *columns;
    size_t column_count;
    struct meta_spec *spec;
    size_t spec_count;
};

/* Whether the statement is one of these, by its first words. */
bool ddl_is(struct bytes statement);
/* Everything lies in the arena or borrows from the statement. */
MUST_USE bool ddl_parse(struct bytes statement, struct arena *arena, struct ddl *ret,
                        struct sql_error *e);
/* Waits until it is durable; the session's view is then the new one. */
MUST_USE bool ddl_run(const struct ddl *ddl, struct sql_session *s, struct sql_error *e);

#endif
