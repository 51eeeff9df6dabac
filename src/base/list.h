/* Intrusive doubly linked list: a ring through struct list heads and members. Thread: owner. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "check.h"

struct list {
    struct list *next;
    struct list *prev;
};

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l) { return l->next == l; }

/* Whether a member is in some list; members are list_init'ed before first use. */
static inline bool list_linked(const struct list *member) { return member->next != member; }

static inline void list_push_back(struct list *l, struct list *member)
{
    member->prev = l->prev;
    member->next = l;
    l->prev->next = member;
    l->prev = member;
}

static inline void list_push_front(struct list *l, struct list *member)
{
    list_push_back(l->next, member);
}

/* Fine for an unlinked (initialised) member. */
static inline void list_remove(struct list *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    list_init(member);
}

/* First member, unlinked; NULL when empty. */
static inline struct list *list_pop_front(struct list *l)
{
    struct list *member = l->next;

    if (member == l) {
        return NULL;
    }
    list_remove(member);
    return member;
}

/* Moves all members of `from` to the end of l. */
static inline void list_move_all(struct list *l, struct list *from)
{
    if (!list_empty(from)) {
        from->next->prev = l->prev;
        l->prev->next = from->next;
        from->prev->next = l;
        l->prev = from->prev;
        list_init(from);
    }
}

/* The body may remove `it`. */
#define LIST_FOR_EACH(it, list_ptr)                                                                \
    for (struct list *it = (list_ptr)->next, *it##_next = it->next; it != (list_ptr);              \
         it = it##_next, it##_next = it->next)

#endif
