#include "fixture.h"

static void writes_and_reads_names(void **state)
{
    char path[LOG_PATH_MAX];
    struct log_name name;

    (void)state;
    log_path(path, "a/b", 42, LOG_FILE_TIME_INDEX);
    assert_string_equal(path, "a/b/00000000000000000042.timeindex");
    for (int kind = LOG_FILE_DATA; kind <= LOG_FILE_WRITER_SNAPSHOT; kind++) {
        log_path(path, "d", INT64_MAX, (enum log_file_kind)kind);
        name = log_name_parse(path + 2);
        assert_int_equal(name.kind, kind);
        assert_int_equal(name.offset, INT64_MAX);
    }
}

static void knows_what_is_not_a_log_file(void **state)
{
    static const char *const doomed[] = {
        "00000000000000000000.log.deleted",
        "00000000000000000007.timeindex.deleted",
        "00000000000000000007.writer_snapshot.tmp",
    };
    static const char *const foreign[] = {
        "",
        "x",
        "0.log",
        "0000000000000000000x.log",
        "00000000000000000000",
        "00000000000000000000.logs",
        "000000000000000000000.log",
        "99999999999999999999.log", /* beyond an offset */
        "00000000000000000000.log.aside",
        "00000000000000000000.log.77.aside",
        "notes.tmp",
        "-0000000000000000001.log",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(doomed); i++) {
        assert_int_equal(log_name_parse(doomed[i]).kind, LOG_FILE_DOOMED);
    }
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        assert_int_equal(log_name_parse(foreign[i]).kind, LOG_FILE_FOREIGN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_names),
        cmocka_unit_test(knows_what_is_not_a_log_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
