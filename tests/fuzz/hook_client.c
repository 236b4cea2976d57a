/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input of virt-vgpu-hook: XML from libvirt, then the daemon's answer, separated by a NUL. The code under test
 * has no header, so include its source file. */
#include "fuzz.h"

#include <sys/mman.h>

static int from_libvirt = -1, to_libvirt = -1, to_user = -1;

static int hook_main(int argc, char **argv) __attribute__((unused));
#include <unistd.h>
#undef STDIN_FILENO
#undef STDOUT_FILENO
#undef STDERR_FILENO
#define STDIN_FILENO from_libvirt
#define STDOUT_FILENO to_libvirt
#define STDERR_FILENO to_user
#define main hook_main
#include "../../hooks/virt-vgpu-hook.c"

static int
memory_file(const void *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size && lseek(fd, 0, SEEK_SET) == 0,
               "a file in memory");
    return fd;
}

/* libvirt shows it to the user as it is. */
static void
check_complaint(const struct call *call)
{
    char text[PIPE_BUF + 1];
    ssize_t n;

    to_user = memory_file("", 0);
    print_failure(call);
    n = pread(to_user, text, sizeof(text), 0);
    close(to_user);
    FUZZ_CHECK(n > 1 && n <= PIPE_BUF && text[n - 1] == '\n', "%zd bytes", n);
    text[n - 1] = '\0';
    FUZZ_CHECK(fuzz_is_printable(text), "%s", text);
}

static void
check_answer(struct call *call, const guint8 *data, gsize size)
{
    int fd = memory_file(data, size);
    bool done = read_reply(call, fd);

    close(fd);
    if (!done) {
        FUZZ_CHECK(*call->reason || size, "no reason");
        check_complaint(call);
        return;
    }
    FUZZ_CHECK(call->blob >= reply && call->blob_len <= XML_MAX &&
                   call->blob + call->blob_len <= reply + size,
               "%zu bytes of %zu", call->blob_len, size);
    to_libvirt = memory_file("", 0);
    FUZZ_CHECK(print_xml(call), "%s", call->reason);
    FUZZ_CHECK(lseek(to_libvirt, 0, SEEK_CUR) ==
                   (call->policy->filter ? (off_t) call->blob_len : 0),
               "another XML");
    close(to_libvirt);
}

FUZZ_TARGET(hook_client)
{
    const guint8 *nul = memchr(data, '\0', size);
    gsize xml_size = nul ? (gsize) (nul - data) : size;
    struct call call = { .policy = &policies[fuzz_pick(data, size, 4)],
                         .name = "web1",
                         .root = "",
                         .deadline_ms =
                             3600000 }; /* never reached: results must not depend on time */
    char uuid[UUID_LEN + 1];

    call.deadline = now(CLOCK_MONOTONIC) + call.deadline_ms * 1000000LL;
    from_libvirt = memory_file(data, xml_size);
    read_xml(&call);
    close(from_libvirt);
    FUZZ_CHECK(call.xml_len == xml_size && !call.xml_errno, "%zu bytes", call.xml_len);
    FUZZ_CHECK(call.marked == has_marker((const char *) data, xml_size), "marked");
    if (find_uuid(&call, uuid))
        FUZZ_CHECK(strspn(uuid, "0123456789abcdef-") == UUID_LEN, "%s", uuid);
    if (nul)
        check_answer(&call, nul + 1, size - xml_size - 1);
}
