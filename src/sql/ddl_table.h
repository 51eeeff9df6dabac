/* Inside sql/: CREATE TABLE, from its columns on, as a table descriptor. Thread: any. */
#ifndef SQL_DDL_TABLE_H
#define SQL_DDL_TABLE_H

#include "ddl.h"

#include "format/text_map.h"

/* "(columns) ..." up to the end of the statement. */
MUST_USE bool ddl_table_parse(struct parse *p, struct bytes *ret_json);
/* One column of ALTER TABLE ADD. */
MUST_USE bool ddl_column_parse(struct parse *p, struct meta_add_column *ret);

/* "('key' = 'value', ...)" */
struct ddl_options {
    struct text_pair *items;
    size_t count;
};
MUST_USE bool ddl_options_parse(struct parse *p, struct ddl_options *ret);
/* An option's key: a text, or words with points between them. */
MUST_USE bool ddl_key_parse(struct parse *p, const char **ret);
/* A text, a number or a word. */
MUST_USE bool ddl_value_parse(struct parse *p, const char **ret);

#endif
