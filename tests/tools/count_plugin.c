/* count_plugin.c: a plug-in of qemu's that counts the instructions between a call of getppid and the next,
 * and writes their number at every second one. Its argument is call=NUMBER, that of getppid on the processor.
 *
 * Blocks of instructions are counted as they are run. qemu's header for plug-ins is not installed with it everywhere,
 * so what is used of it is declared here; version 1 is that of qemu 4.2 to 8.2. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
typedef void on_block(uint64_t id, struct qemu_plugin_tb *block);
typedef void on_call(uint64_t id, unsigned processor, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                     uint64_t e, uint64_t f, uint64_t g, uint64_t h);
enum { ADD = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, on_block *callback);
void qemu_plugin_register_vcpu_syscall_cb(uint64_t id, on_call *callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int what, void *count, uint64_t by);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_outs(const char *text);

EXPORT int qemu_plugin_version = 1;

static int64_t getppid_number;
static uint64_t instructions;
static int calls;

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD, &instructions, qemu_plugin_tb_n_insns(block));
}

static void called(uint64_t id, unsigned processor, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                   uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    (void)id, (void)processor, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number != getppid_number) {
        return;
    }
    if (calls++ % 2 == 1) {
        char text[32];
        snprintf(text, sizeof text, "%llu\n", (unsigned long long)instructions);
        qemu_plugin_outs(text);
    }
    instructions = 0;
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int count, char **arguments)
{
    static const char name[] = "call=";
    (void)info;
    if (count != 1 || strncmp(arguments[0], name, sizeof name - 1) != 0) {
        return 1;
    }
    getppid_number = atoi(arguments[0] + sizeof name - 1);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
