#include <stdlib.h>

#include "../../support/unit.h"
#include "sql/parquet_footer.h"

static enum errcode check(const char *hex, uint64_t memory)
{
    uint8_t data[64];
    size_t len = 0;
    struct error e;

    for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2) {
        const char pair[3] = {hex[0], hex[1], '\0'};

        if (*hex != ' ') {
            data[len++] = (uint8_t)strtoul(pair, NULL, 16);
        }
    }
    return parquet_footer_check(bytes_of(data, len), memory, &e);
}

static void lists_are_weighed(void **state)
{
    (void)state;
    /* version, a schema of one struct with a name, rows */
    assert_int_equal(check("1502 191c 480161 00 1602 00", 512), ERR_OK);
    assert_int_equal(check("1502 191c 480161 00 1602 00", 511), ERR_CORRUPT_FILE);
    assert_int_equal(check("1502 192c 480161 00 00 1602 00", 1024), ERR_OK);
    assert_int_equal(check("1502 192c 480161 00 00 1602 00", 1023), ERR_CORRUPT_FILE);
    assert_int_equal(check("1502 19fc02 480161 00 00 1602 00", 1024), ERR_OK);
    assert_int_equal(check("1502 19fc ffffffff07 480161 00 00", UINT64_MAX), ERR_CORRUPT_FILE);
    /* numbers of fields in full */
    assert_int_equal(check("05 02 02 09 04 1c 480161 00 00", 512), ERR_OK);
    assert_int_equal(check("05 02 02 09 04 2c 480161 00 00", 512), ERR_CORRUPT_FILE);
}

static void lists_are_of_their_type(void **state)
{
    (void)state;
    assert_int_equal(check("2925 02 04 00", 4096), ERR_CORRUPT_FILE); /* a schema of numbers */
    assert_int_equal(check("2918 0161 00", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("9925 02 04 00", 4096), ERR_OK); /* that nobody knows */
    assert_int_equal(check("8921 01 01 00", 4096), ERR_OK); /* of booleans */
    /* row group, column, description: encodings are numbers, the path is texts */
    assert_int_equal(check("491c 191c 3c 2925 02 04 1918 0161 00 00 00 00", 4096), ERR_OK);
    assert_int_equal(check("491c 191c 3c 291c 00 1918 0161 00 00 00 00", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("491c 191c 3c 2925 02 04 1915 02 00 00 00 00", 4096), ERR_CORRUPT_FILE);
}

static void what_is_cut_or_unknown_is_refused(void **state)
{
    (void)state;
    assert_int_equal(check("00", 0), ERR_OK);
    assert_int_equal(check("", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("1502", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("1805 61", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("17 00000000", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("17 0000000000000000 11 12 1305 00", 4096), ERR_OK);
    assert_int_equal(check("1b 00 00", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("1d 00", 4096), ERR_CORRUPT_FILE);
    assert_int_equal(check("1c1c1c1c1c1c1c1c1c1c1c1c 1c1c1c1c1c1c1c1c1c1c1c1c", 4096),
                     ERR_CORRUPT_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_weighed),
        cmocka_unit_test(lists_are_of_their_type),
        cmocka_unit_test(what_is_cut_or_unknown_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
