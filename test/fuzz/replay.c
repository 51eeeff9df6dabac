/* Stands in for libFuzzer where it is not linked: runs the target over every file of the folders
 * and files given, so that the corpora are ordinary unit tests. A target that has a mutation of its own
 * gets some mutants of each file, too. */
#include "mutate.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MUTANTS 16
#define GROWTH  256 /* bytes that they may add */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* absent in most targets */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                                                     unsigned seed);

static int runs;

/* data has room for GROWTH more; each mutant comes of the one before. */
static void replay_mutants(uint8_t *data, size_t size)
{
    size_t max = size + GROWTH;

    for (unsigned seed = 0; LLVMFuzzerCustomMutator != NULL && seed < MUTANTS; seed++) {
        size = LLVMFuzzerCustomMutator(data, size, max, seed);
        LLVMFuzzerTestOneInput(data, size);
    }
}

static void replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(size + GROWTH);

    if (f == NULL || data == NULL || fread(data, 1, size, f) != size) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    replay_mutants(data, size);
    free(data);
    runs++;
}

static void replay(const char *path)
{
    struct stat st;
    struct dirent *entry;
    DIR *dir;

    if (stat(path, &st) != 0) {
        fprintf(stderr, "no such corpus: %s\n", path);
        exit(1);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t)st.st_size);
        return;
    }
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char child[4096];

        if (entry->d_name[0] != '.') {
            snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
            replay(child);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

int main(int argc, char **argv)
{
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%d inputs\n", runs);
    return 0;
}
