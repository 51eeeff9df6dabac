/* Making views: entries are built once and never changed; a new view is a copy of the arrays of the
 * one before, edited before anyone else sees it. For the catalog only.
 * Thread: coordinator; the entries' reference counts are atomic because readers drop views.
 */
#ifndef META_VIEW_EDIT_H
#define META_VIEW_EDIT_H

#include "view.h"

/* An empty entry with one reference; its texts go into its arena. */
struct meta_database *view_database_new(void);
struct meta_partition *view_partition_new(void);
void *view_database_unref(const struct meta_database *d);
void *view_partition_unref(const struct meta_partition *p);

/* Everything of a table but its partitions; filled once. */
struct meta_table_body {
    atomic_uint refs;
    struct arena arena;                  /* texts, arrays, JSON */
    struct table_descriptor *descriptor; /* a reference, or NULL */
    struct meta_schema *schemas;         /* in the arena; references to schema_count schemas */
    size_t schema_count;
};

/* An empty table with one reference and a body of its own; without partitions. */
struct meta_table *view_table_new(void);
/* The same definition with other partitions. Takes over the reference to partitions. */
struct meta_table *view_table_with_partitions(const struct meta_table *t,
                                              struct meta_partitions *partitions);
/* Replaces the partitions of a table nobody else has seen yet by those of another. */
void view_table_share_partitions(struct meta_table *t, const struct meta_table *from);

/* The partitions of `from` (may be NULL) without those in `removed` (ids) and with those in `added`
 * (takes over their references). */
struct partitions_edit {
    const int64_t *removed;
    size_t removed_count;
    struct meta_partition **added;
    size_t added_count;
};
struct meta_partitions *view_partitions_new(const struct meta_partitions *from,
                                            const struct partitions_edit *edit);

/* ---- views ---- */

/* A copy of `from` (NULL: empty) to be edited, then handed out as immutable. */
struct meta_view *view_edit(const struct meta_view *from);
/* Adds, or replaces the one of that name. Takes over the reference. */
void view_put_database(struct meta_view *v, struct meta_database *d);
void view_remove_database(struct meta_view *v, struct bytes name);
/* Adds, or replaces the one of that id. Takes over the reference. */
void view_put_table(struct meta_view *v, struct meta_table *t);
void view_remove_table(struct meta_view *v, int64_t id);

#endif
