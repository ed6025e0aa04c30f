/* Cameras of Linux for tests: loaded before the C library (LD_PRELOAD), it answers V4L2's calls for /dev/videoN.

   Camera N is there as long as the file videoN of the folder $FAKE_CAMERAS is. Its first word is a layout: yuyv, nv12,
   mjpeg (pictures from the file mjpeg of the folder), or bayer, which no decoder reads. Then width and height, and how
   it behaves: denied, busy, nospace (no room on the bus), metadata (gives no pictures), frames=N (unplugged after N),
   silent=N (says nothing any more after N), torn=N (picture N was damaged on its way), short=N (is half there). Its
   pictures are 16 grey, and 1 lighter each. 60 come a second. Structures and numbers are those of linux/videodev2.h. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 1024, BUFFERS = 4, PERIOD_US = 16667 };

struct camera {
    char path[4096], words[256];
    unsigned format, width, height, length;
    int is_here, is_blocking, frames, queued[BUFFERS], queue_length;
    long long next_us;
};
static struct camera *cameras[DESCRIPTORS];

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int failed(int number)
{
    errno = number;
    return -1;
}

static int has(const struct camera *camera, const char *word) { return strstr(camera->words, word) != NULL; }

static int limit(const struct camera *camera, const char *word)
{
    const char *at = strstr(camera->words, word);
    return at == NULL ? -1 : atoi(at + strlen(word));
}

static size_t read_file(const char *path, char *content, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t got = fread(content, 1, size, file);
    fclose(file);
    return got;
}

static int open_camera(const char *number, int flags)
{
    struct camera *camera = calloc(1, sizeof *camera);
    char layout[16] = "";
    snprintf(camera->path, sizeof camera->path, "%s/video%s", getenv("FAKE_CAMERAS"), number);
    if (read_file(camera->path, camera->words, sizeof camera->words - 1) == 0) {
        return failed(ENOENT);
    }
    if (has(camera, "denied")) {
        return failed(EACCES);
    }
    sscanf(camera->words, "%15s %u %u", layout, &camera->width, &camera->height);
    camera->format = !strcmp(layout, "yuyv")    ? V4L2_PIX_FMT_YUYV
                     : !strcmp(layout, "nv12")  ? V4L2_PIX_FMT_NV12
                     : !strcmp(layout, "mjpeg") ? V4L2_PIX_FMT_MJPEG
                                                : V4L2_PIX_FMT_SRGGB10;
    camera->is_blocking = !(flags & O_NONBLOCK);
    camera->length = (camera->width * camera->height * 2 + 4095) / 4096 * 4096;
    int descriptor = memfd_create("camera", 0);
    if (descriptor < 0 || descriptor >= DESCRIPTORS || ftruncate(descriptor, (off_t)camera->length * BUFFERS) != 0) {
        return failed(EIO);
    }
    cameras[descriptor] = camera;
    return descriptor;
}

/* Bytes of the next picture, written to a buffer. */
static unsigned draw(struct camera *camera, char *picture)
{
    char path[4200];
    unsigned pixels = camera->width * camera->height;
    memset(picture, 128, camera->length);
    if (camera->format == V4L2_PIX_FMT_MJPEG) {
        snprintf(path, sizeof path, "%s/mjpeg", getenv("FAKE_CAMERAS"));
        return (unsigned)read_file(path, picture, camera->length);
    }
    unsigned step = camera->format == V4L2_PIX_FMT_YUYV ? 2 : 1;
    for (unsigned i = 0; i < pixels; i++) {
        picture[i * step] = (char)(16 + camera->frames);
    }
    return step == 2 ? pixels * 2 : pixels * 3 / 2;
}

static int dequeue(int descriptor, struct camera *camera, struct v4l2_buffer *buffer)
{
    do {
        int is_silent = camera->frames == limit(camera, "silent=");
        if (access(camera->path, F_OK) != 0 || camera->frames == limit(camera, "frames=")) {
            unlink(camera->path);
            return failed(ENODEV);
        }
        if (!is_silent && camera->queue_length > 0 && now_us() >= camera->next_us) {
            break;
        }
        if (!camera->is_blocking) {
            return failed(EAGAIN);
        }
        usleep(1000);
    } while (1);
    int index = camera->queued[0];
    camera->queue_length--;
    memmove(camera->queued, camera->queued + 1, sizeof camera->queued - sizeof camera->queued[0]);
    char *picture =
        mmap(NULL, camera->length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, (off_t)index * camera->length);
    buffer->index = (unsigned)index;
    buffer->flags = camera->frames == limit(camera, "torn=") ? V4L2_BUF_FLAG_ERROR : 0;
    buffer->bytesused = draw(camera, picture) / (camera->frames == limit(camera, "short=") ? 2 : 1);
    munmap(picture, camera->length);
    long long at = now_us();
    buffer->timestamp.tv_sec = at / 1000000;
    buffer->timestamp.tv_usec = at % 1000000;
    camera->next_us = at + PERIOD_US;
    camera->frames++;
    return 0;
}

static int set_format(const struct camera *camera, struct v4l2_format *format)
{
    if (has(camera, "busy")) {
        return failed(EBUSY);
    }
    /* As drivers do, with what it has in place of what was asked for. */
    format->fmt.pix.width = camera->width;
    format->fmt.pix.height = camera->height;
    format->fmt.pix.pixelformat = camera->format;
    format->fmt.pix.field = V4L2_FIELD_NONE;
    return 0;
}

static int answer(int descriptor, struct camera *camera, unsigned long request, void *given)
{
    struct v4l2_buffer *buffer = given;
    switch (request) {
    case VIDIOC_QUERYCAP:
        memset(given, 0, sizeof(struct v4l2_capability));
        ((struct v4l2_capability *)given)->capabilities =
            V4L2_CAP_STREAMING | (has(camera, "metadata") ? V4L2_CAP_META_CAPTURE : V4L2_CAP_VIDEO_CAPTURE);
        return 0;
    case VIDIOC_G_INPUT:
        *(int *)given = 0;
        return 0;
    case VIDIOC_ENUMINPUT:
        return 0;
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
        return set_format(camera, given);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        ((struct v4l2_streamparm *)given)->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        ((struct v4l2_streamparm *)given)->parm.capture.timeperframe = (struct v4l2_fract){1, 60};
        return 0;
    case VIDIOC_REQBUFS:
        ((struct v4l2_requestbuffers *)given)->count = BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        buffer->length = camera->length;
        buffer->m.offset = buffer->index * camera->length;
        return 0;
    case VIDIOC_QBUF:
        camera->queued[camera->queue_length++] = (int)buffer->index;
        return 0;
    case VIDIOC_STREAMON:
        return has(camera, "nospace") ? failed(ENOSPC) : 0;
    case VIDIOC_STREAMOFF:
        return 0;
    case VIDIOC_DQBUF:
        return dequeue(descriptor, camera, buffer);
    default:
        return failed(ENOTTY);
    }
}

int open64(const char *path, int flags, ...)
{
    if (strncmp(path, "/dev/video", 10) == 0) {
        return open_camera(path + 10, flags);
    }
    va_list rest;
    va_start(rest, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
    va_end(rest);
    int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    return next(path, flags, mode);
}

int ioctl(int descriptor, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *given = va_arg(rest, void *);
    va_end(rest);
    if (descriptor >= 0 && descriptor < DESCRIPTORS && cameras[descriptor] != NULL) {
        return answer(descriptor, cameras[descriptor], request, given);
    }
    int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    return next(descriptor, request, given);
}

int close(int descriptor)
{
    if (descriptor >= 0 && descriptor < DESCRIPTORS) {
        free(cameras[descriptor]);
        cameras[descriptor] = NULL;
    }
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    return next(descriptor);
}
