#include "../../support/pg_fake.h"
#include "cmd/produce.h"

struct sent {
    struct pg_fake fake;
    struct client *client;
    uint64_t rows;
    struct error error;
};

static enum errcode send_rest(struct sent *s, const char *rest)
{
    struct client_options options = fake_options(&s->fake);
    struct produce_file file = {.statement = bytes_str("copy"), .begin = bytes_str("PAR1")};
    FILE *in = tmpfile();
    enum errcode code;

    assert_non_null(in);
    assert_true(fputs(rest, in) >= 0 && fseek(in, 0, SEEK_SET) == 0);
    assert_int_equal(client_open(&options, &s->client, &s->error), ERR_OK);
    file.client = s->client;
    code = produce_file(&file, in, &s->rows, &s->error);
    (void)fclose(in);
    return code;
}

/* What the server was sent behind the greeting. */
static void check_sent(struct sent *s, struct bytes expected)
{
    uint8_t data[400];
    ssize_t len = read(s->fake.peers[0], data, sizeof data);

    assert_true(len >= (ssize_t)expected.len);
    assert_memory_equal(data + len - expected.len, expected.data, expected.len);
    client_close(s->client);
    fake_fini(&s->fake);
}

static void all_bytes_go(void **state)
{
    static const char sent[] = "Q\0\0\0\011copy\0d\0\0\0\010PAR1d\0\0\0\010restc\0\0\0\4";
    struct sent s = {.rows = 0};

    (void)state;
    fake_greets(&s.fake);
    fake_says(&s.fake, 'G', "\1\0\0", 3);
    pg_put_complete(&s.fake.says, "COPY 12");
    pg_put_ready(&s.fake.says, 'I');
    assert_int_equal(send_rest(&s, "rest"), ERR_OK);
    assert_int_equal(s.rows, 12);
    check_sent(&s, bytes_of(sent, sizeof sent - 1));
}

static void an_error_tells_what_is_written(void **state)
{
    static const char problem[] =
        "C22P04\0Mwrong\0H77 rows of the statement are written, and stay.\0";
    struct sent s = {.rows = 0};

    (void)state;
    fake_greets(&s.fake);
    fake_says(&s.fake, 'G', "\1\0\0", 3);
    fake_says(&s.fake, 'E', problem, sizeof problem);
    pg_put_ready(&s.fake.says, 'I');
    assert_int_equal(send_rest(&s, ""), ERR_UNSUPPORTED_OPERATION);
    assert_int_equal(s.rows, 77);
    assert_string_equal(s.error.message, "22P04: wrong");
    check_sent(&s, bytes_of("c\0\0\0\4", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_go),
        cmocka_unit_test(an_error_tells_what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
