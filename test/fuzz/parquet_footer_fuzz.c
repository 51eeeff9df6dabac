/* Footers of Parquet from outside: the walk ends, and more memory lets through no less. */
#include "sql/parquet_footer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e;
    enum errcode little = parquet_footer_check(bytes_of(data, size), 4096, &e);
    enum errcode much = parquet_footer_check(bytes_of(data, size), UINT64_C(1) << 40, &e);

    ASSERT(little != ERR_OK || much == ERR_OK);
    return 0;
}
