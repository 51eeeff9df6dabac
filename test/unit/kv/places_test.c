#include "../../support/dies.h"
#include "../../support/unit.h"
#include "kv/places.h"

#define POSITIONS 2000

static uint64_t random_state = 7;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static bool has(const struct kv_places *p, uint32_t tag, uint32_t position)
{
    for (uint32_t slot = tag; kv_places_next(p, tag, &slot); slot++) {
        if (p->slots[slot].at == position + 1) {
            return true;
        }
    }
    return false;
}

static void add(struct kv_places *p, uint32_t tag, uint32_t position)
{
    uint32_t slot = tag;

    if (p->count >= p->mask / 4 * 3) {
        kv_places_grow(p);
    }
    while (kv_places_next(p, tag, &slot)) {
        slot++;
    }
    kv_places_put(p, slot, tag, position);
}

/* Few tags, so that most places collide; removal and growth in between. */
static void places_equal_a_plain_set(void **state)
{
    uint32_t tags[POSITIONS] = {0};
    bool there[POSITIONS] = {false};
    struct kv_places p;

    (void)state;
    kv_places_init(&p, 8);
    for (int step = 0; step < 20000; step++) {
        uint32_t position = random_below(POSITIONS);

        if (there[position]) {
            kv_places_remove(&p, kv_places_slot_of(&p, tags[position], position));
        } else {
            tags[position] = random_below(97) * (random_below(2) == 0 ? 1 : 0x01000193);
            add(&p, tags[position], position);
        }
        there[position] = !there[position];
        if (step % 500 == 0) {
            for (uint32_t i = 0; i < POSITIONS; i++) {
                assert_int_equal(has(&p, tags[i], i), there[i]);
            }
        }
    }
    kv_places_fini(&p);
}

static void what_is_not_there_is_a_mistake(void **state)
{
    struct kv_places p;

    (void)state;
    kv_places_init(&p, 8);
    add(&p, 3, 1);
    assert_aborts((void)kv_places_slot_of(&p, 3, 2));
    assert_aborts(kv_places_remove(&p, 4));
    kv_places_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_equal_a_plain_set),
        cmocka_unit_test(what_is_not_there_is_a_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
