#include <stdlib.h>

#include "../../support/unit.h"
#include "base/crc32c.h"

/* Bit by bit, from the definition. */
static uint32_t reference(const uint8_t *p, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
        }
    }
    return ~crc;
}

static void known_values(void **state)
{
    uint8_t zeros[32] = {0};
    uint8_t ones[32];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(crc32c(bytes_str("123456789")), 0xe3069283);
    /* RFC 3720 B.4 */
    assert_int_equal(crc32c(bytes_of(zeros, 32)), 0x8a9136aa);
    assert_int_equal(crc32c(bytes_of(ones, 32)), 0x62a8ab43);
    assert_int_equal(crc32c(BYTES_EMPTY), 0);
}

static void every_length_and_alignment_agrees_with_the_definition(void **state)
{
    size_t cap = 20000;
    uint8_t *p = malloc(cap);
    uint64_t seed = 1;

    (void)state;
    for (size_t i = 0; i < cap; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)(seed >> 56);
    }
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; len < 200; len++) {
            assert_int_equal(crc32c(bytes_of(p + from, len)), reference(p + from, len));
        }
        for (size_t len = 3000; len < cap - 9; len += 1021) { /* around and over three lanes */
            assert_int_equal(crc32c(bytes_of(p + from, len)), reference(p + from, len));
        }
    }
    free(p);
}

static void extending_equals_the_whole(void **state)
{
    uint8_t p[9000];

    (void)state;
    for (size_t i = 0; i < sizeof p; i++) {
        p[i] = (uint8_t)(i * 31 + i / 256);
    }
    for (size_t cut = 0; cut <= sizeof p; cut += 613) {
        uint32_t head = crc32c(bytes_of(p, cut));

        assert_int_equal(crc32c_extend(head, bytes_of(p + cut, sizeof p - cut)),
                         crc32c(bytes_of(p, sizeof p)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(every_length_and_alignment_agrees_with_the_definition),
        cmocka_unit_test(extending_equals_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
