/* Golden vectors: files of test/golden made by the reference implementation, each
 * {"description", "source_version", "cases": [...]}, bytes as lower-case hex.
 *
 * Every helper fails the running cmocka test when the file or a field is not as expected, so that
 * a test reads values without checking. Returned strings live as long as the document, bytes as
 * long as the arena.
 */
#ifndef TEST_SUPPORT_VECTORS_H
#define TEST_SUPPORT_VECTORS_H

#include <jansson.h>

#include "base/arena.h"

/* The whole document of test/golden/<file>; given back with vectors_free. TEST_DIR is the path of
 * test/, which the build tells to tests only. */
#define vectors_load(file) vectors_load_from(TEST_DIR, (file))
json_t *vectors_load_from(const char *test_dir, const char *file);
void vectors_free(json_t *document);
void vectors_freep(json_t **document); /* for OWNED */

/* Visits all cases of a document; `one` is borrowed. */
#define VECTORS_FOR_EACH(one, document)                                                            \
    for (size_t one##_i = 0, one##_once = 1; one##_once != 0; one##_once = 0)                      \
        for (json_t *one = NULL; (one = vectors_case((document), one##_i)) != NULL; one##_i++)

/* NULL behind the last case. */
json_t *vectors_case(const json_t *document, size_t index);

/* Members of an object. */
json_t *vectors_get(const json_t *object, const char *key); /* must exist */
const char *vectors_text(const json_t *object, const char *key);
bool vectors_bool(const json_t *object, const char *key);
int64_t vectors_i64(const json_t *object, const char *key);
struct bytes vectors_hex(const json_t *object, const char *key, struct arena *arena);

/* An integer of 64 bits: a number, or a string for values beyond 9e15. */
int64_t vector_i64(const json_t *value);
/* A floating-point number: a number, or "NaN", "Infinity", "-Infinity". */
double vector_f64(const json_t *value);
/* A BYTES or BINARY value, "hex:0102". */
struct bytes vector_bytes(const json_t *value, struct arena *arena);
/* Plain hex digits. */
struct bytes vector_unhex(const char *hex, struct arena *arena);

/* Fails the test with both sides in hex and the first difference when they are not equal. */
void vectors_assert_equal(const char *name, struct bytes got, struct bytes expected);

#endif
