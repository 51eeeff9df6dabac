/* Data of COPY, from outside: cut anywhere they are the same rows, and no row has less than its columns.
 *
 * Input: byte 0 bit 0: csv, bit 1: a header, both: binary, bits 2..: columns; byte 1: where the data are cut,
 * and of which types the columns are; then the data. */
#include "sql/copy_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of all rows. */
static uint64_t look(struct copy_reader *r)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < r->rows * r->columns; i++) {
        ASSERT(!r->cells[i].null || r->format->null == NULL ||
               r->cells[i].text.len <= strlen(r->format->null));
        sum = sum * 31 + r->cells[i].null;
        for (size_t b = 0; b < r->cells[i].text.len; b++) {
            sum = sum * 31 + r->cells[i].text.data[b] + 2;
        }
    }
    copy_reader_clear(r);
    return sum;
}

static bool run(struct copy_reader *r, struct bytes in, size_t step, uint64_t *ret)
{
    struct sql_error e;
    uint64_t sum = 0;

    while (in.len > 0) {
        struct bytes part = bytes_slice(in, 0, in.len < step ? in.len : step);

        in = bytes_slice(in, part.len, in.len - part.len);
        while (part.len > 0) {
            if (!copy_reader_feed(r, &part, &e)) {
                return false;
            }
            if (copy_reader_full(r)) {
                sum = sum * 31 + look(r);
            }
        }
    }
    if (!copy_reader_end(r, &e)) {
        return false;
    }
    *ret = sum * 31 + look(r);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t types[] = {16,   17,   20,   21,   23,   25,   114,
                                     700,  701,  1000, 1001, 1007, 1009, 1082,
                                     1083, 1114, 1184, 1231, 1700, 2950, 9999};
    uint32_t oids[5];
    struct copy_format format = {.delimiter = '\t', .quote = '"', .escape = '"', .null = "\\N"};
    struct copy_reader whole;
    struct copy_reader cut;
    uint64_t first = 0;
    uint64_t second = 0;
    bool right;

    if (size < 2) {
        return 0;
    }
    if ((data[0] & 1) != 0) {
        format = (struct copy_format){
            .kind = COPY_KIND_CSV, .delimiter = ',', .quote = '"', .escape = '\\', .null = ""};
    }
    format.header = (data[0] & 2) != 0;
    if ((data[0] & 3) == 3) {
        format = (struct copy_format){.kind = COPY_KIND_BINARY};
    }
    for (size_t i = 0; i < ARRAY_LEN(oids); i++) {
        oids[i] = types[(data[1] + i) % ARRAY_LEN(types)];
    }
    copy_reader_init(&whole, &format, 1 + (data[0] >> 2) % 5);
    copy_reader_init(&cut, &format, 1 + (data[0] >> 2) % 5);
    whole.oids = oids;
    cut.oids = oids;
    right = run(&whole, bytes_of(data + 2, size - 2), size, &first);
    ASSERT(run(&cut, bytes_of(data + 2, size - 2), 1 + data[1] % 7, &second) == right);
    ASSERT(!right || first == second);
    copy_reader_fini(&whole);
    copy_reader_fini(&cut);
    return 0;
}
