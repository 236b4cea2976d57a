/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-driver-vendor.c: NVIDIA's vendor-specific VFIO, and the plugin parameters of both interfaces
 *
 * current_vgpu_type is as nvidia-vgpu-vfio.c of the vGPU host driver has it for VFs: a number by kstrtol()
 * (EINVAL for what is none, ERANGE for one that is too large); 0 where there is no vGPU: EPERM, and so is another
 * type while there is one, or 0 while it is open; EBUSY if the plugin has not ended yet; EIO for all that the
 * resource manager refuses (no such type, no room, another size); it shows "%d\n". The record of a VF's vGPU is
 * named by the VF's address. Parameters are those of vgpu_params_store() and vgpu_params_show() in
 * NVIDIA's nvidia-vgpu-vfio.c, which the vGPU host driver's package has the source of: E2BIG above 1024 bytes,
 * ENXIO without a vGPU, EPERM while it is open; of n bytes it keeps n - 1, with snprintf(params, n, "%s", text),
 * and says that it took n; it shows "%s\n". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake-driver-private.h"

#define PARAMS_MAX 1024

static void
put_type(const struct function *function, const char *type)
{
    Path path;
    char line[32];

    snprintf(line, sizeof(line), "%-10s\n", type);
    fake_put_line(fake_format(path, "%s/nvidia/current_vgpu_type", function->dir), line);
    fake_format(path, "%s/nvidia/vgpu_params", function->dir);
    if (atoi(type))
        fake_show_places(function->dir);
    else
        fake_hide_places(function->dir);
    if (fake_exists(path)) /* a new vGPU has none, and they go with the old one */
        fake_put_file(path, "\n", 1);
}

/* With the lock held. */
static int
set_now(const struct function *function, const char *id)
{
    struct record record = { 0 };
    struct type type;

    if (fake_read_record(function->addr, &record))
        return EPERM;
    if (fake_knob_take("create_fail_next") || !fake_read_type(function, id, &type) ||
        !fake_has_room(function, &type))
        return EIO;
    snprintf(record.addr, sizeof(record.addr), "%s", function->addr);
    snprintf(record.type, sizeof(record.type), "%s", id);
    fake_put_record(function, function->addr, &record);
    put_type(function, id);
    return 0;
}

/* With the lock held. */
static int
reset_now(const struct function *function)
{
    struct record record;

    if (!fake_read_record(function->addr, &record) || fake_knob_is_there("open-", function->addr))
        return EPERM;
    if (fake_knob_take("reset_busy_next"))
        return EBUSY;
    put_type(function, "0");
    fake_drop_record(function, function->addr);
    return 0;
}

/* @path is DIR/ADDR/nvidia/current_vgpu_type */
int
fake_vendor_set_type(char *path, const char *text, size_t len)
{
    struct function function;
    char id[24];
    char *end;
    long number;
    int fd, err;

    snprintf(id, sizeof(id), "%.*s", (int) len, text);
    errno = 0;
    number = strtol(id, &end, 10);
    if (errno == ERANGE)
        return ERANGE;
    if (end == id || (*end && strcmp(end, "\n") != 0) || number < 0)
        return EINVAL;
    snprintf(id, sizeof(id), "%ld", number);
    *strrchr(path, '/') = '\0';
    *strrchr(path, '/') = '\0';
    strcpy(function.dir, path);
    fake_find_gpu(&function);

    fake_sleep_ms(fake_knob(number ? "create_delay_ms" : "remove_delay_ms"));
    fake_wait_while_hung(number ? "hang_create-" : "hang_remove-", &function);
    fd = fake_lock();
    err = number ? set_now(&function, id) : reset_now(&function);
    close(fd);
    if (number)
        fake_sleep_ms(fake_knob("create_late_ms"));
    return err;
}

/* @path is DIR/NAME/nvidia/vgpu_params, NAME a VF's address or an mdev's UUID */
int
fake_set_params(char *path, const char *text, size_t len)
{
    char kept[PARAMS_MAX + sizeof("\n")];
    struct record record;
    Path name;
    int err = 0;
    int fd;

    if (!fake_knob_text("params_keep", kept, PARAMS_MAX))
        snprintf(kept, PARAMS_MAX, "%.*s", (int) len - 1, text);
    strcat(kept, "\n");
    strcpy(name, path);
    *strrchr(name, '/') = '\0';
    *strrchr(name, '/') = '\0';
    memmove(name, strrchr(name, '/') + 1, strlen(strrchr(name, '/')));

    fd = fake_lock();
    if (len > PARAMS_MAX)
        err = E2BIG;
    else if (!fake_read_record(name, &record))
        err = ENXIO;
    else if (fake_knob_is_there("open-", name))
        err = EPERM;
    else
        fake_put_file(path, kept, strlen(kept));
    close(fd);
    return err;
}
