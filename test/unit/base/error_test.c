#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/dies.h"
#include "../../support/unit.h"
#include "base/error.h"

static enum errcode fails(bool fail, struct error *e)
{
    return fail ? error_set(e, ERR_TABLE_NOT_EXIST, "table %s", "db.t") : ERR_OK;
}

static enum errcode tries(bool fail, int *ret, struct error *e)
{
    TRY(fails(fail, e));
    *ret = 1;
    return ERR_OK;
}

static void try_returns_at_the_first_failure(void **state)
{
    struct error e = {0};
    int ret = 0;

    (void)state;
    assert_int_equal(tries(true, &ret, &e), ERR_TABLE_NOT_EXIST);
    assert_int_equal(ret, 0);
    assert_int_equal(e.code, ERR_TABLE_NOT_EXIST);
    assert_string_equal(e.message, "table db.t");
    assert_int_equal(tries(false, &ret, &e), ERR_OK);
    assert_int_equal(ret, 1);
    assert_int_equal(tries(true, &ret, NULL), ERR_TABLE_NOT_EXIST);
    assert_aborts((void)error_set(&e, ERR_OK, "not an error"));
}

static void system_errors_say_why(void **state)
{
    struct error e;

    (void)state;
    assert_int_equal(error_os(&e, ENOSPC, "write %s", "00.log"), ERR_DISK_FULL);
    assert_int_equal(e.os_errno, ENOSPC);
    assert_string_equal(e.message, "write 00.log: No space left on device");
    assert_int_equal(error_os(&e, EDQUOT, "write"), ERR_DISK_FULL);
    assert_int_equal(error_os(&e, EIO, "write"), ERR_LOG_STORAGE);
    assert_int_equal(error_os(NULL, EIO, "write"), ERR_LOG_STORAGE);
}

static void context_goes_in_front_and_fits(void **state)
{
    struct error e;
    char text[1000];

    (void)state;
    (void)error_set(&e, ERR_CORRUPT_FILE, "bad magic");
    error_wrap(&e, "opening %s", "x.log");
    assert_string_equal(e.message, "opening x.log: bad magic");
    assert_int_equal(e.code, ERR_CORRUPT_FILE);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_wrap(&e, "%s", text);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
    (void)error_os(&e, EIO, "%s", text);
    assert_int_equal(strlen(e.message), sizeof e.message - 1);
    error_wrap(NULL, "nothing");
}

/* Our names are those of the protocol without suffix, but for 0 and a slip of the pen there. */
static void expect_same_name(const char *theirs, const char *ours)
{
    size_t len;

    if (strcmp(theirs, "NONE") == 0) {
        assert_string_equal(ours, "OK");
        return;
    }
    if (strncmp(theirs, "SEVER_", strlen("SEVER_")) == 0) {
        theirs += strlen("SEVER_");
        ours += strlen("SERVER_");
    }
    len = strlen(ours);
    assert_memory_equal(theirs, ours, len);
    assert_true(theirs[len] == '\0' || strcmp(theirs + len, "_EXCEPTION") == 0 ||
                strcmp(theirs + len, "_ERROR") == 0);
}

/* protocol/errors.tsv: code, name, retriable ("yes..." or "no..."), meaning, returned_by */
static void table_is_that_of_the_protocol(void **state)
{
    FILE *f = fopen(TEST_DIR "/../protocol/errors.tsv", "r");
    char line[4096];
    int count = 0;

    (void)state;
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f)); /* the headings */
    while (fgets(line, sizeof line, f) != NULL) {
        char *rest = line;
        int32_t number = (int32_t)strtol(strsep(&rest, "\t"), NULL, 10);
        const char *name = strsep(&rest, "\t");
        const char *retriable = strsep(&rest, "\t");
        enum errcode code = error_from_fluss(number);

        assert_int_equal(error_fluss_code(code), number);
        expect_same_name(name, error_name(code));
        assert_int_equal(error_retriable(code), strncmp(retriable, "yes", 3) == 0);
        count++;
    }
    fclose(f);
    assert_true(count >= 76);
}

static void every_code_has_a_name_a_text_and_a_number(void **state)
{
    (void)state;
    for (int code = 0; code < ERR_COUNT; code++) {
        assert_true(strlen(error_name((enum errcode)code)) > 1);
        assert_true(strlen(error_text((enum errcode)code)) > 1);
        assert_in_range(error_fluss_code((enum errcode)code) + 1, 0, 1000);
    }
    assert_int_equal(error_from_fluss(12345), ERR_UNKNOWN_SERVER_ERROR);
    assert_int_equal(error_from_fluss(10), ERR_LOG_STORAGE);
    assert_aborts((void)error_name(ERR_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(try_returns_at_the_first_failure),
        cmocka_unit_test(system_errors_say_why),
        cmocka_unit_test(context_goes_in_front_and_fits),
        cmocka_unit_test(table_is_that_of_the_protocol),
        cmocka_unit_test(every_code_has_a_name_a_text_and_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
