/* main.c: a program around the network, which labels pictures, or frames as they come.
 *
 * Usage: PROGRAM [--json] [--top N] PICTURE...     PPM files ("P6", 8 bits), or for a grey network PGM ("P5")
 *        PROGRAM [--json] [--top N] -              such pictures on standard input, one behind the other
 *        PROGRAM ... --size 640x480 --layout nv12 -
 *                                                  frames without headers: rgb (or grey, as the network takes them),
 *                                                  yuv420, nv12 or yuyv, in the range of video and by BT.601
 *        PROGRAM                                   checks the golden cases, and says nothing when they hold
 *
 * A line of standard output is a label and its probability, or with --json a picture. Ends with 0; with 1 when an
 * answer differs from the one that the network carries; with 2 when something could not be read. */
#include "depthwise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

typedef struct {
    int json, top, width, height;
    const char *layout;
} settings;

/* What is read of one picture; grows, and is used for the next one too. */
typedef struct {
    unsigned char *bytes;
    size_t room;
    int width, height;
} picture;

/* What calls work in: the network's own memory may have been left out. */
static void *arena;

static int fail(const char *name, const char *text)
{
    fprintf(stderr, "error: %s: %s\n", name, text);
    return 2;
}

/* Memory that begins at a multiple of 64; it stays until the program ends. */
static void *aligned_memory(size_t bytes)
{
    unsigned char *memory = malloc(bytes + 63);
    return memory == NULL ? NULL : memory + (64 - (uintptr_t)memory % 64) % 64;
}

/* Where frames are not prepared, as that was left out, those of the network's own size. */
static int32_t classify(const unsigned char *frame, int32_t height, int32_t width, float *probabilities)
{
    int32_t status = dw_classify(frame, height, width, (int64_t)width * dw_input_channels(), probabilities, arena);
    if (status == DW_LEFT_OUT && height == dw_input_height() && width == dw_input_width()) {
        status = dw_run(frame, probabilities, arena);
    }
    return status;
}

/* Text within a string of JSON. */
static void print_text(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\') {
            printf("\\%c", *c);
        } else if (*c < 32) {
            printf("\\u%04x", (unsigned)*c);
        } else {
            putchar(*c);
        }
    }
}

/* The likeliest label whose probability lies below the last one's; of equal ones the first stands first. */
static int next_best(const float *probabilities, int last)
{
    int best = -1;
    for (int i = 0; i < dw_label_count(); i++) {
        int follows =
            last < 0 || probabilities[i] < probabilities[last] || (probabilities[i] == probabilities[last] && i > last);
        if (follows && (best < 0 || probabilities[i] > probabilities[best])) {
            best = i;
        }
    }
    return best;
}

static void print_answer(const char *name, const float *probabilities, const settings *s)
{
    int best = -1;
    if (s->json) {
        printf("{\"image\": \"");
        print_text(name);
        printf("\", \"answers\": [");
    }
    for (int i = 0; i < s->top && (best = next_best(probabilities, best)) >= 0; i++) {
        if (s->json) {
            printf("%s{\"label\": \"", i > 0 ? ", " : "");
            print_text(dw_label(best));
            printf("\", \"index\": %d, \"probability\": %.9g}", best, (double)probabilities[best]);
        } else {
            printf("%s %.4f\n", dw_label(best), (double)probabilities[best]);
        }
    }
    if (s->json) {
        printf("]}\n");
    }
    /* Who reads frames as they come wants their labels as they come. */
    fflush(stdout);
}

/* Room for a picture; 0 when there is none. */
static int make_room(picture *p, size_t bytes)
{
    if (bytes > p->room) {
        unsigned char *larger = realloc(p->bytes, bytes);
        if (larger == NULL) {
            return 0;
        }
        p->bytes = larger;
        p->room = bytes;
    }
    return 1;
}

/* The next number of a PPM header, behind blanks and comments; -1 where there is none. */
static int header_number(FILE *file)
{
    int c = fgetc(file), number = 0;
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '#') {
        while (c == '#' && (c = fgetc(file)) != '\n' && c != EOF) {
            c = '#';
        }
        c = fgetc(file);
    }
    if (c < '0' || c > '9') {
        return -1;
    }
    for (; c >= '0' && c <= '9'; c = fgetc(file)) {
        number = number > DW_LONGEST_SIDE ? number : 10 * number + (c - '0');
    }
    return number; /* one blank behind it was read */
}

/* Reads the next picture: 1, or 0 at the end of the file, or -1 when what follows is none. */
static int read_ppm(FILE *file, picture *p)
{
    int channels = dw_input_channels(), first = fgetc(file);
    if (first == EOF) {
        return 0;
    }
    if (first != 'P' || fgetc(file) != (channels == 1 ? '5' : '6')) {
        return -1;
    }
    p->width = header_number(file);
    p->height = header_number(file);
    if (header_number(file) != 255 || p->width < 1 || p->height < 1 || p->width > DW_LONGEST_SIDE ||
        p->height > DW_LONGEST_SIDE) {
        return -1;
    }
    size_t bytes = (size_t)p->width * (size_t)p->height * (size_t)channels;
    return make_room(p, bytes) && fread(p->bytes, 1, bytes, file) == bytes ? 1 : -1;
}

static int label_ppm(FILE *file, const char *name, const settings *s, float *probabilities)
{
    picture p = {0};
    int found, count = 0, code = 0;
    while (code == 0 && (found = read_ppm(file, &p)) != 0) {
        if (found < 0) {
            code = fail(name, "is not a PPM (or, for a grey network, PGM) file of 8 bits, or is cut off");
        } else if (classify(p.bytes, p.height, p.width, probabilities) != DW_OK) {
            code = fail(name, "cannot be classified");
        } else {
            print_answer(name, probabilities, s);
            count++;
        }
    }
    free(p.bytes);
    return code == 0 && count == 0 ? fail(name, "is empty") : code;
}

/* Where the samples of a frame lie, and its bytes; 0 for a layout that is not YUV. */
static size_t yuv_layout(const settings *s, unsigned char *bytes, dw_yuv *frame)
{
    size_t width = (size_t)s->width, height = (size_t)s->height, half = (width + 1) / 2, rows = (height + 1) / 2;
    unsigned char *behind = bytes == NULL ? NULL : bytes + width * height;
    *frame = (dw_yuv){.y = bytes, .height = s->height, .width = s->width, .across = 2};
    if (strcmp(s->layout, "yuyv") == 0) {
        frame->u = bytes == NULL ? NULL : bytes + 1;
        frame->v = bytes == NULL ? NULL : bytes + 3;
        frame->y_step = 2;
        frame->uv_step = 4;
        frame->y_pitch = frame->uv_pitch = (int64_t)(4 * half);
        frame->down = 1;
        return 4 * half * height;
    }
    int pairs = strcmp(s->layout, "nv12") == 0;
    if (!pairs && strcmp(s->layout, "yuv420") != 0) {
        return 0;
    }
    frame->u = behind;
    frame->v = behind == NULL ? NULL : behind + (pairs ? 1 : half * rows);
    frame->y_step = 1;
    frame->uv_step = pairs ? 2 : 1;
    frame->y_pitch = s->width;
    frame->uv_pitch = (int64_t)half * frame->uv_step;
    frame->down = 2;
    return width * height + 2 * half * rows;
}

static int label_frames(FILE *file, const settings *s, float *probabilities)
{
    dw_yuv frame;
    int channels = dw_input_channels(), code = 0;
    size_t yuv = yuv_layout(s, NULL, &frame), got;
    if (yuv == 0 && strcmp(s->layout, channels == 1 ? "grey" : "rgb") != 0) {
        return fail(s->layout,
                    "is no layout that is read; send rgb (or grey, as the network takes), yuv420, nv12, yuyv");
    }
    size_t bytes = yuv != 0 ? yuv : (size_t)s->width * (size_t)s->height * (size_t)channels;
    unsigned char *content = malloc(bytes);
    if (content == NULL) {
        return fail("-", "has frames too large for the memory");
    }
    yuv_layout(s, content, &frame);
    while (code == 0 && (got = fread(content, 1, bytes, file)) != 0) {
        if (got != bytes) {
            code = fail("-", "ends within a frame");
        } else if ((yuv != 0 ? dw_classify_yuv(&frame, probabilities, arena)
                             : classify(content, s->height, s->width, probabilities)) != DW_OK) {
            code = fail("-", "holds a frame that cannot be classified");
        } else {
            print_answer("-", probabilities, s);
        }
    }
    free(content);
    return code;
}

static int label(const char *name, const settings *s, float *probabilities)
{
    if (strcmp(name, "-") == 0) {
#ifdef _WIN32
        _setmode(_fileno(stdin), _O_BINARY);
#endif
        return s->width > 0 ? label_frames(stdin, s, probabilities) : label_ppm(stdin, name, s, probabilities);
    }
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        return fail(name, "cannot be opened");
    }
    int code = label_ppm(file, name, s, probabilities);
    fclose(file);
    return code;
}

/* Takes an option and what belongs to it; how many arguments those are, 0 for a name, -1 for what cannot be. */
static int option(char **arguments, settings *s)
{
    char rest;
    if (strcmp(arguments[0], "--json") == 0) {
        s->json = 1;
        return 1;
    }
    if (strncmp(arguments[0], "--", 2) != 0) {
        return 0;
    }
    if (arguments[1] != NULL && strcmp(arguments[0], "--layout") == 0) {
        s->layout = arguments[1];
        return 2;
    }
    if (arguments[1] != NULL && strcmp(arguments[0], "--top") == 0) {
        return sscanf(arguments[1], "%9d%c", &s->top, &rest) == 1 && s->top > 0 ? 2 : -1;
    }
    if (arguments[1] != NULL && strcmp(arguments[0], "--size") == 0) {
        int read = sscanf(arguments[1], "%6dx%6d%c", &s->width, &s->height, &rest);
        return read == 2 && s->width > 0 && s->height > 0 && s->width <= DW_LONGEST_SIDE && s->height <= DW_LONGEST_SIDE
                   ? 2
                   : -1;
    }
    return -1;
}

int main(int count, char **arguments)
{
    settings s = {.top = 1, .layout = dw_input_channels() == 1 ? "grey" : "rgb"};
    int code = 0, names = 0, taken;
    if (dw_processor() != DW_OK) {
        return fail(arguments[0], "was built for a processor with instructions that this one lacks");
    }
    /* Options may stand anywhere; the names are put in front. */
    for (int at = 1; at < count; at += taken) {
        taken = option(arguments + at, &s);
        if (taken < 0) {
            return fail(arguments[at],
                        "is no option of: [--json] [--top N] [--size WxH] [--layout NAME] PICTURE... | -");
        }
        if (taken == 0) {
            arguments[names++] = arguments[at];
            taken = 1;
        }
    }
    float *probabilities = malloc((size_t)dw_label_count() * sizeof(float)), worst;
    arena = aligned_memory(dw_arena_bytes());
    if (probabilities == NULL || arena == NULL) {
        return fail("memory", "is too little");
    }
    if (names == 0 && dw_verify(&worst, arena) != DW_OK) {
        fprintf(stderr, "error: the golden cases differ by %g\n", (double)worst);
        code = 1;
    }
    for (int i = 0; i < names; i++) {
        int one = label(arguments[i], &s, probabilities);
        code = one > code ? one : code;
    }
    free(probabilities);
    return code;
}
