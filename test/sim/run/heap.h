/* Memory of one life. A server that was killed frees nothing, and asking the system for fresh pages in
 * each life took a quarter of its time: all that a life has allocated is forgotten at its end at once,
 * and the next one begins in the same, warm pages.
 *
 * malloc and its family are defined here for the whole process, libraries included. Not with
 * sanitizers, which bring their own: there both calls do nothing. Thread: one. */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdbool.h>

/* Whether there is such a heap: else a process is good for one life. */
bool heap_forgets(void);
/* From here on memory comes from the life's heap. */
void heap_begin(void);
/* Forgets all of it; what was allocated before heap_begin stays. */
void heap_end(void);

#endif
