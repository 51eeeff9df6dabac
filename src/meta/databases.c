/* Databases: create, alter, drop (catalog.h). */
#include "catalog.h"

#include "format/name.h"

/* ---- create ---- */

enum errcode database_create(struct meta *m, const struct meta_create_database *job,
                             struct error *e)
{
    OWNED(change_fini) struct change c;
    struct znode_database d = {.created_ms = m->now_ms, .modified_ms = m->now_ms};
    struct database_descriptor descriptor = {0};
    const char *name;

    change_begin(m, &c);
    TRY(name_check(NAME_DATABASE, job->database, e));
    if (job->json.len > 0) {
        TRY(database_descriptor_parse(job->json, &c.arena, &descriptor, e));
    }
    d.comment = descriptor.comment;
    d.properties = descriptor.custom_properties;
    name = arena_strndup(&c.arena, job->database.data, job->database.len);
    if (meta_view_database(m->view, job->database) != NULL) {
        return job->ignore_if_exists
                   ? ERR_OK
                   : error_set(e, ERR_DATABASE_ALREADY_EXIST, "database %s exists already", name);
    }
    store_batch_create(&c.batch, znode_database_path(&c.arena, name),
                       znode_database_encode(&d, &c.arena));
    view_put_database(c.view, load_database(name, &d));
    return change_commit(&c, e);
}

/* ---- alter ---- */

static enum errcode missing(struct bytes name, bool ignore, struct error *e)
{
    int len = name.len > NAME_LEN_MAX ? NAME_LEN_MAX : (int)name.len;

    return ignore ? ERR_OK
                  : error_set(e, ERR_DATABASE_NOT_EXIST, "database %.*s does not exist", len,
                              (const char *)name.data);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static enum errcode apply(const struct meta_alter_database *job, struct arena *arena,
                          struct znode_database *d, struct error *e)
{
    for (size_t i = 0; i < job->change_count; i++) {
        const struct meta_change *change = &job->changes[i];
        const char *key = NULL;
        const char *value = NULL;

        TRY(text_take(change->key, "a property key", ERR_INVALID_DATABASE, arena, &key, e));
        if (change->op == META_SET) {
            TRY(text_take(change->value, "a property value", ERR_INVALID_DATABASE, arena, &value,
                          e));
        }
        d->properties = text_map_with(d->properties, key, value, arena);
    }
    if (job->has_comment) {
        d->comment = NULL;
        if (job->comment.len > 0) {
            TRY(text_take(job->comment, "the comment", ERR_INVALID_DATABASE, arena, &d->comment,
                          e));
        }
    }
    return ERR_OK;
}

enum errcode database_alter(struct meta *m, const struct meta_alter_database *job, struct error *e)
{
    OWNED(change_fini) struct change c;
    const struct meta_database *before = meta_view_database(m->view, job->database);
    struct znode_database d;

    change_begin(m, &c);
    TRY(changes_check(job->changes, job->change_count, e));
    if (before == NULL) {
        return missing(job->database, job->ignore_if_not_exists, e);
    }
    d = (struct znode_database){.comment = before->comment,
                                .properties = before->properties,
                                .created_ms = before->created_ms,
                                .modified_ms = m->now_ms};
    TRY(apply(job, &c.arena, &d, e));
    if (same_text(d.comment, before->comment) && text_map_equal(d.properties, before->properties)) {
        return ERR_OK;
    }
    store_batch_set(&c.batch, znode_database_path(&c.arena, before->name),
                    znode_database_encode(&d, &c.arena));
    view_put_database(c.view, load_database(before->name, &d));
    return change_commit(&c, e);
}

/* ---- drop ---- */

enum errcode database_drop(struct meta *m, const struct meta_drop_database *job, struct error *e)
{
    OWNED(change_fini) struct change c;
    struct meta_tables tables;

    change_begin(m, &c);
    if (bytes_equal_str(job->database, META_DEFAULT_DATABASE)) {
        return error_set(e, ERR_INVALID_ARGUMENT, "the built-in database %s cannot be dropped",
                         META_DEFAULT_DATABASE);
    }
    if (meta_view_database(m->view, job->database) == NULL) {
        return missing(job->database, job->ignore_if_not_exists, e);
    }
    tables = meta_view_tables_of(m->view, job->database);
    if (tables.count > 0 && !job->cascade) {
        return error_set(e, ERR_DATABASE_NOT_EMPTY, "database %.*s still has %zu tables",
                         (int)job->database.len, (const char *)job->database.data, tables.count);
    }
    for (size_t i = 0; i < tables.count; i++) {
        table_drop_into(&c, tables.items[i]);
    }
    store_batch_delete_tree(
        &c.batch, znode_database_path(
                      &c.arena, arena_strndup(&c.arena, job->database.data, job->database.len)));
    view_remove_database(c.view, job->database);
    return change_commit(&c, e);
}

struct bytes meta_database_json(const struct meta_database *d, struct arena *arena)
{
    struct database_descriptor descriptor = {.comment = d->comment,
                                             .custom_properties = d->properties};
    struct json_writer w;

    json_writer_init(&w, arena);
    database_descriptor_write_json(&w, &descriptor);
    return json_writer_text(&w);
}
