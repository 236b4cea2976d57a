/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-driver-mdev.c: mediated devices are made and removed
 *
 * What `create` and `remove` answer is from the kernel: mdev_sysfs.c (create_store(): 36 or 37 bytes, else
 * EINVAL; remove_store(): EINVAL for what is no number, 0 does nothing, EAGAIN from two at once) and
 * mdev_core.c (mdev_device_create(): EEXIST for a UUID that is anywhere on the host; the devices' removal waits
 * in vfio_unregister_group_dev() while one is open) of drivers/vfio/mdev, Linux 6.1. EIO is what NVIDIA's
 * nvidia-vgpu-vfio.c, which the vGPU host driver's package has the source of, makes of each refusal of its
 * resource manager, of one for want of room too. A device's links to its driver and its group are made by the
 * bus's probe, which up to Linux 5.15 finds no driver before vfio_mdev is loaded (vfio_mdev.c, mdev_driver.c). */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake-driver-private.h"

#define UUID_LEN 36
#define POLL_MS 2

static bool
read_uuid(const char *text, size_t len, char uuid[UUID_LEN + 1])
{
    if (len == UUID_LEN + 1 && text[UUID_LEN] == '\n')
        len--;
    if (len != UUID_LEN)
        return false;
    for (int i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !isxdigit((unsigned char) text[i]))
            return false;
        uuid[i] = (char) tolower((unsigned char) text[i]);
    }
    uuid[UUID_LEN] = '\0';
    return true;
}

/* The links of a device that is in the records. */
static void
show(const struct function *function, const char *uuid, const struct record *record)
{
    const char *below_sys = function->dir + strlen(fake_root) + strlen("/sys/");
    Path dir, path, target, up;
    int depth = 1;

    fake_format(dir, "%s/%s", function->dir, uuid);
    mkdir(dir, 0755);
    fake_put_line(fake_format(path, "%s/remove", dir), "");
    if (!fake_knob_is_there("no_params", "")) {
        mkdir(fake_format(path, "%s/nvidia", dir), 0755);
        fake_put_line(fake_format(path, "%s/nvidia/vgpu_params", dir), "\n");
    }
    fake_show_places(dir);
    (void) !symlink(fake_format(target, "../mdev_supported_types/%s", record->type),
                    fake_format(path, "%s/mdev_type", dir));

    mkdir(fake_format(path, "%s/" FAKE_GROUPS "/%d", fake_root, record->group), 0755);
    fake_put_line(fake_format(path, "%s/" FAKE_VFIO "/%d", fake_root, record->group), uuid);
    strcpy(up, "../");
    for (const char *c = below_sys; *c; c++)
        depth += *c == '/';
    for (int i = 0; i < depth; i++)
        strcat(up, "../");
    if (!fake_knob_is_there("no_vfio_mdev", "")) {
        (void) !symlink(fake_format(target, "%sbus/mdev/drivers/nvidia-vgpu-vfio", up),
                        fake_format(path, "%s/driver", dir));
        if (!fake_knob_is_there("no_group", ""))
            (void) !symlink(fake_format(target, "%skernel/iommu_groups/%d", up, record->group),
                            fake_format(path, "%s/iommu_group", dir));
    }
    (void) !symlink(fake_format(target, "../../../%s/%s", below_sys, uuid),
                    fake_format(path, "%s/" FAKE_MDEV_DEVICES "/%s", fake_root, uuid));
}

static void
hide(const struct function *function, const char *uuid)
{
    static const char *const files[] = {
        "/remove", "/mdev_type", "/iommu_group", "/driver", "/nvidia/vgpu_params",
    };
    Path path;

    unlink(fake_format(path, "%s/" FAKE_MDEV_DEVICES "/%s", fake_root, uuid));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(fake_format(path, "%s/%s%s", function->dir, uuid, files[i]));
    fake_hide_places(fake_format(path, "%s/%s", function->dir, uuid));
    rmdir(fake_format(path, "%s/%s/nvidia", function->dir, uuid));
    rmdir(fake_format(path, "%s/%s", function->dir, uuid));
}

static int
free_group(void)
{
    Path path;
    int group = 1;

    while (fake_exists(fake_format(path, "%s/" FAKE_VFIO "/%d", fake_root, group)))
        group++;
    return group;
}

/* With the lock held. */
static int
create_now(const struct function *function, const char *type_id, const char *uuid)
{
    struct record record = { 0 };
    struct type type;
    Path path;

    if (fake_exists(fake_format(path, "%s/" FAKE_RECORDS "/%s", fake_root, uuid)))
        return EEXIST;
    if (fake_knob_take("create_fail_next") || !fake_read_type(function, type_id, &type) ||
        !fake_has_room(function, &type))
        return EIO;
    snprintf(record.addr, sizeof(record.addr), "%s", function->addr);
    snprintf(record.type, sizeof(record.type), "%s", type_id);
    record.group = free_group();
    fake_put_record(function, uuid, &record);
    show(function, uuid, &record);
    return 0;
}

/* @path is DIR/ADDR/mdev_supported_types/TYPE/create */
int
fake_mdev_create(char *path, const char *text, size_t len)
{
    struct function function;
    char uuid[UUID_LEN + 1];
    char *type;
    int fd, err;

    *strrchr(path, '/') = '\0';
    type = strrchr(path, '/') + 1;
    *strrchr(path, '/') = '\0';
    *strrchr(path, '/') = '\0';
    strcpy(function.dir, path);
    fake_find_gpu(&function);
    if (!read_uuid(text, len, uuid))
        return EINVAL;

    fake_sleep_ms(fake_knob("create_delay_ms"));
    fake_wait_while_hung("hang_create-", &function);
    fd = fake_lock();
    err = create_now(&function, type, uuid);
    close(fd);
    fake_sleep_ms(fake_knob("create_late_ms"));
    return err;
}

/* @path is DIR/ADDR/UUID/remove */
int
fake_mdev_remove(char *path, const char *text, size_t len)
{
    struct function function;
    struct record record;
    const char *uuid;
    Path file;
    int fd;
    bool there;

    if (len < 1 || !isdigit((unsigned char) text[0]))
        return EINVAL;
    if (text[0] == '0')
        return 0;
    *strrchr(path, '/') = '\0';
    uuid = strrchr(path, '/') + 1;
    *strrchr(path, '/') = '\0';
    strcpy(function.dir, path);
    fake_find_gpu(&function);

    fd = fake_lock();
    there = fake_exists(fake_format(file, "%s/" FAKE_MDEV_DEVICES "/%s", fake_root, uuid)) &&
            fake_read_record(uuid, &record);
    if (there)
        hide(&function, uuid);
    close(fd);
    if (!there)
        return ENODEV;

    while (fake_knob_is_there("open-", uuid))
        fake_sleep_ms(POLL_MS);
    fake_sleep_ms(fake_knob("remove_delay_ms"));
    fake_wait_while_hung("hang_remove-", &function);

    fd = fake_lock();
    unlink(fake_format(file, "%s/" FAKE_VFIO "/%d", fake_root, record.group));
    rmdir(fake_format(file, "%s/" FAKE_GROUPS "/%d", fake_root, record.group));
    fake_drop_record(&function, uuid);
    close(fd);
    return 0;
}
