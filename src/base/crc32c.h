/* CRC-32C (Castagnoli, RFC 3720): reflected, init and xorout 0xFFFFFFFF. The SSE4.2 instruction on
 * three interleaved streams where the processor has it, a table elsewhere. Check value of
 * "123456789": 0xE3069283. Thread: any.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "bytes.h"

uint32_t crc32c(struct bytes b);
/* Continues: crc32c_extend(crc32c(a), b) == crc32c(a followed by b). */
uint32_t crc32c_extend(uint32_t crc, struct bytes b);

#endif
