/* Statements about the catalog, from outside: what is read as one becomes a document that is JSON, what is
 * not says where. */
#include "base/utf8.h"
#include "format/json.h"
#include "sql/ddl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(arena_fini) struct arena arena = ARENA_INIT;
    struct bytes text = bytes_of(data, size);
    const struct json *document;
    struct sql_error e;
    struct ddl ddl;

    if (!utf8_valid(text)) { /* is refused before */
        return 0;
    }
    if (!ddl_parse(text, &arena, &ddl, &e)) {
        ASSERT(strlen(e.state) == 5 && e.message[0] != '\0' && e.position <= size + 1);
        return 0;
    }
    ASSERT(ddl_is(text) && ddl.tag != NULL && ddl.name_count > 0);
    for (size_t i = 0; i < ddl.column_count; i++) {
        ASSERT(json_parse(ddl.columns[i].type_json, NULL, &arena, &document, NULL) == ERR_OK);
    }
    if (ddl.json.len > 0 && ddl.json.len < JSON_DOCUMENT_SIZE_MAX / 2) {
        ASSERT(json_parse(ddl.json, NULL, &arena, &document, NULL) == ERR_OK);
    }
    return 0;
}
