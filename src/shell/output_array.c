#include "output_kinds.h"

uint32_t output_element_of(uint32_t type)
{
    static const uint32_t arrays[][2] = {
        {1000, 16},   {1001, 17},   {1005, 21},   {1007, 23},   {1009, 25},   {1015, 25},
        {1016, 20},   {1021, 700},  {1022, 701},  {1115, 1114}, {1182, 1082}, {1183, 1083},
        {1185, 1184}, {1187, 1186}, {1231, 1700}, {199, 114},   {2951, 2950},
    };

    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        if (arrays[i][0] == type) {
            return arrays[i][1];
        }
    }
    return 0;
}

size_t output_take_element(struct bytes b, struct buffer *ret, bool *ret_quoted)
{
    size_t i = 0;

    buffer_clear(ret);
    *ret_quoted = b.len > 0 && b.data[0] == '"';
    for (i = *ret_quoted ? 1 : 0; i < b.len; i++) {
        uint8_t c = b.data[i];

        if (c == '\\' && i + 1 < b.len) {
            i++;
        } else if (*ret_quoted && c == '"') {
            return i + 1;
        } else if (!*ret_quoted && (c == ',' || c == '}')) {
            break;
        }
        buffer_u8(ret, b.data[i]);
    }
    return i;
}
