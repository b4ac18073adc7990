/*
 * ISA-L as a contender: reads a command a line, answers with a line. See peer-process.ts.
 *
 *   isal sse | best       the path through SSE, or the one that ISA-L chooses for this processor
 *
 * A process makes one path only. ISA-L's AVX code leaves the upper halves of the registers in use, and from then on its
 * SSE code runs at a third of its speed (4+2: 13 000 -> 4 300 MiB/s on an AMD EPYC of the fourth generation).
 */
#include <isa-l.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_SHARDS 255
/* As in our arena, since shards a power of two apart evict each other: 10+4 through SSE 5 100 -> 8 400 MiB/s. */
#define GAP 4288
/* Also as in ours: 29+51 with shards of 1 MiB 550 -> 970 MiB/s, and no shape slower. */
#define BLOCK_INPUT_BYTES (128 * 1024)
#define SMALLEST_BLOCK 512

typedef void (*coder)(int, int, int, unsigned char *, unsigned char **, unsigned char **);

/* Outputs from k inputs, by coefficients in ISA-L's form. */
struct program {
  int rows;
  unsigned char *tables;
  unsigned char *inputs[MAX_SHARDS];
  unsigned char *outputs[MAX_SHARDS];
};

static coder code;
static int k, m, bytes;
static unsigned char *memory, *original;
static unsigned char *shards[MAX_SHARDS];
static struct program encoding, rebuilding, rebuilding_one;

static void *aligned(size_t size) {
  void *result = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
  if (!result) abort();
  return result;
}

static void run(const struct program *program) {
  int block = BLOCK_INPUT_BYTES / k / 64 * 64;
  if (block < SMALLEST_BLOCK) block = SMALLEST_BLOCK;
  unsigned char *in[MAX_SHARDS], *out[MAX_SHARDS];
  for (int at = 0; at < bytes; at += block) {
    for (int i = 0; i < k; i++) in[i] = program->inputs[i] + at;
    for (int i = 0; i < program->rows; i++) out[i] = program->outputs[i] + at;
    code(bytes - at < block ? bytes - at : block, k, program->rows, program->tables, in, out);
  }
}

static void set_tables(struct program *program, unsigned char *rows) {
  free(program->tables);
  program->tables = aligned((size_t)32 * k * program->rows);
  ec_init_tables(k, program->rows, rows, program->tables);
}

static void make_encoding(unsigned char *matrix) {
  encoding.rows = m;
  memcpy(encoding.inputs, shards, sizeof(shards));
  memcpy(encoding.outputs, shards + k, sizeof(shards[0]) * m);
  set_tables(&encoding, matrix + k * k);
}

/* Primaries 0 ... lost - 1 from the k shards after them. */
static void make_rebuilding(struct program *program, int lost, const unsigned char *matrix) {
  unsigned char *present = aligned(k * k), *inverse = aligned(k * k);
  memcpy(present, matrix + lost * k, k * k);
  if (gf_invert_matrix(present, inverse, k) != 0) abort();
  program->rows = lost;
  memcpy(program->inputs, shards + lost, sizeof(shards[0]) * k);
  memcpy(program->outputs, shards, sizeof(shards[0]) * lost);
  set_tables(program, inverse);
  free(present);
  free(inverse);
}

static void fill_noise(void) {
  uint32_t state = 1;
  for (int i = 0; i < k; i++) {
    for (int b = 0; b < bytes; b++) {
      state = state * 1664525u + 1013904223u;
      shards[i][b] = state >> 24;
    }
    memcpy(original + (size_t)i * bytes, shards[i], bytes);
  }
}

static int restores(const struct program *program) {
  for (int i = 0; i < program->rows; i++) memset(program->outputs[i], 0, bytes);
  run(program);
  for (int i = 0; i < k; i++) {
    if (memcmp(shards[i], original + (size_t)i * bytes, bytes) != 0) return 0;
  }
  return 1;
}

static const char *prepare(void) {
  size_t stride = bytes + GAP;
  int lost = k < m ? k : m;
  free(memory);
  free(original);
  memory = aligned(stride * (k + m));
  original = aligned((size_t)k * bytes);
  for (int i = 0; i < k + m; i++) shards[i] = memory + i * stride;
  fill_noise();
  unsigned char *matrix = aligned((k + m) * k);
  gf_gen_cauchy1_matrix(matrix, k + m, k);
  make_encoding(matrix);
  make_rebuilding(&rebuilding, lost, matrix);
  make_rebuilding(&rebuilding_one, 1, matrix);
  free(matrix);
  run(&encoding);
  return restores(&rebuilding) && restores(&rebuilding_one) ? "ready" : "wrong bytes";
}

static const struct program *program_of(const char *operation) {
  if (strcmp(operation, "encode") == 0) return &encoding;
  if (strcmp(operation, "rebuild") == 0) return &rebuilding;
  return &rebuilding_one;
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int count, char **arguments) {
  char line[128], operation[32];
  int times;
  code = count > 1 && strcmp(arguments[1], "sse") == 0 ? ec_encode_data_sse : ec_encode_data;
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d.%d.%d\n", ISAL_MAJOR_VERSION, ISAL_MINOR_VERSION, ISAL_PATCH_VERSION);
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "prepare %d %d %d", &k, &m, &bytes) == 3) {
      puts(prepare());
    } else if (sscanf(line, "run %31s %d", operation, &times) == 2) {
      const struct program *program = program_of(operation);
      long long start = nanoseconds();
      for (int i = 0; i < times; i++) run(program);
      printf("%lld\n", nanoseconds() - start);
    }
  }
  return 0;
}
