/* Stands in for libFuzzer's own mutation where libFuzzer is not linked: a byte is changed, put in or
 * taken out. Always the same sequence. */
#include "mutate.h"
#include "mutate_dice.h"

static struct dice dice;

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    size_t at = dice_roll(&dice, size + 1);

    if (size < max && dice_roll(&dice, 3) == 0) {
        memmove(data + at + 1, data + at, size - at);
        data[at] = (uint8_t)dice_next(&dice);
        return size + 1;
    }
    if (size > 1 && at < size && dice_roll(&dice, 3) == 0) {
        memmove(data + at, data + at + 1, size - at - 1);
        return size - 1;
    }
    if (at < size) {
        data[at] = (uint8_t)dice_next(&dice);
    }
    return size;
}
