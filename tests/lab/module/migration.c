// SPDX-License-Identifier: GPL-2.0
/*
 * Saving a vGPU and resuming it elsewhere: VFIO's migration protocol, version 2.
 *
 * The states and what each change of them does are in include/uapi/linux/vfio.h ("The device migration Finite State
 * Machine"), what a driver has to do in include/linux/vfio.h (struct vfio_migration_ops). Without PRE_COPY, a vGPU is
 * saved in one go while it is stopped; with P2P, a guest may have several.
 *
 * The stream is a header with the type and the colour of the picture, and padding up to the size that the knob
 * migrate_mib wants. A vGPU of another type refuses it, as NVIDIA's does (docs.nvidia.com/vgpu, "Migrating a VM
 * Configured with vGPU": the vGPU types must be the same).
 *
 * Without device dirty tracking (log_ops): that needs CONFIG_IOMMUFD, which Debian's kernels do not have.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "fakegpu.h"

#define MAGIC	0x76475055	/* "vGPU" */

struct header {
	u32 magic;
	u32 colour;
	char type[16];
	u64 size;		/* of all, with the header */
};

struct stream {
	struct card *card;
	const char *type;	/* of the vGPU */
	struct file *file;	/* holds the stream; the migration holds the file */

	struct mutex lock;	/* everything below */
	bool ended;
	u64 pos;
	struct header header;
};

static u64 stream_size(struct card *card)
{
	return max_t(u64, sizeof(struct header), (u64)READ_ONCE(card->knob[MIGRATE_MIB]) << 20);
}

/* What is at the stream's position, and how much of it at most; NULL: padding. */
static void *stream_part(struct stream *stream, size_t *count)
{
	u64 pos = stream->pos;

	if (pos >= sizeof(stream->header))
		return NULL;
	*count = min_t(u64, *count, sizeof(stream->header) - pos);
	return (u8 *)&stream->header + pos;
}

static ssize_t stream_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	struct stream *stream = file->private_data;
	ssize_t ret = 0;
	void *part;

	if (ppos)
		return -ESPIPE;
	knob_stall(stream->card, SAVE_DELAY_MS, SAVE_HANG);
	mutex_lock(&stream->card->lock);
	if (knob_take(stream->card, SAVE_FAIL_NEXT))
		ret = -EIO;
	mutex_unlock(&stream->card->lock);
	mutex_lock(&stream->lock);
	if (stream->ended)
		ret = -ENODEV;
	count = min_t(u64, count, stream->header.size - stream->pos);
	part = stream_part(stream, &count);
	if (!ret && (part ? copy_to_user(buf, part, count) : clear_user(buf, count)))
		ret = -EFAULT;
	if (!ret) {
		stream->pos += count;
		ret = count;
	}
	mutex_unlock(&stream->lock);
	return ret;
}

/* Once the header is complete: whether the vGPU takes this state. */
static int stream_check(struct stream *stream)
{
	struct header *header = &stream->header;
	int ret = 0;

	if (header->magic != MAGIC || strncmp(header->type, stream->type, sizeof(header->type))) {
		pr_info("fakegpu: a vGPU of type %s refuses the state of type %.*s\n", stream->type,
			(int)sizeof(header->type), header->type);
		return -EINVAL;
	}
	mutex_lock(&stream->card->lock);
	if (knob_take(stream->card, RESUME_FAIL_NEXT))
		ret = -EIO;
	mutex_unlock(&stream->card->lock);
	return ret;
}

static ssize_t stream_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	struct stream *stream = file->private_data;
	ssize_t ret = 0;
	void *part;

	if (ppos)
		return -ESPIPE;
	mutex_lock(&stream->lock);
	if (stream->ended)
		ret = -ENODEV;
	part = stream_part(stream, &count);
	if (!ret && part && copy_from_user(part, buf, count))
		ret = -EFAULT;
	if (!ret && part && stream->pos + count == sizeof(stream->header))
		ret = stream_check(stream);
	if (!ret) {
		stream->pos += count;
		ret = count;
	}
	mutex_unlock(&stream->lock);
	return ret;
}

static int stream_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations save_ops = {
	.owner = THIS_MODULE,
	.read = stream_read,
	.release = stream_release,
};

static const struct file_operations resume_ops = {
	.owner = THIS_MODULE,
	.write = stream_write,
	.release = stream_release,
};

static struct stream *stream_new(struct card *card, const struct file_operations *ops, int flags)
{
	struct stream *stream = kzalloc(sizeof(*stream), GFP_KERNEL);

	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->file = anon_inode_getfile("fakegpu", ops, stream, flags);
	if (IS_ERR(stream->file)) {
		int ret = PTR_ERR(stream->file);

		kfree(stream);
		return ERR_PTR(ret);
	}
	stream_open(stream->file->f_inode, stream->file);
	mutex_init(&stream->lock);
	stream->card = card;
	return stream;
}

static void stream_end(struct migration *migration)
{
	struct stream *stream = migration->stream;

	if (!stream)
		return;
	mutex_lock(&stream->lock);
	stream->ended = true;
	mutex_unlock(&stream->lock);
	migration->stream = NULL;
	fput(stream->file);
}

/* The file for the data; the migration keeps a reference of its own. */
static struct file *begin(struct migration *migration, const struct file_operations *ops, int flags)
{
	struct card *card = migration->fn->card;
	struct stream *stream = stream_new(card, ops, flags);

	if (IS_ERR(stream))
		return ERR_CAST(stream);
	stream->type = migration->type;
	if (ops == &save_ops) {
		stream->header.magic = MAGIC;
		strscpy(stream->header.type, migration->type, sizeof(stream->header.type));
		stream->header.size = stream_size(card);
		stream->header.colour = migration->colour;
	}
	migration->stream = stream;
	get_file(stream->file);
	return stream->file;
}

/* What was received becomes the vGPU's state. */
static int resume(struct migration *migration)
{
	struct stream *stream = migration->stream;
	int ret = 0;

	mutex_lock(&stream->lock);
	if (stream->pos < sizeof(stream->header) || stream->header.size != stream->pos)
		ret = -EINVAL;
	mutex_unlock(&stream->lock);
	if (ret)
		return ret;
	migration->colour = stream->header.colour;
	vgpu_device_paint(migration);
	return 0;
}

/* One arc of the state machine. */
static struct file *step(struct migration *migration, enum vfio_device_mig_state next)
{
	enum vfio_device_mig_state state = migration->state;
	int ret = 0;

	if (state == VFIO_DEVICE_STATE_STOP && next == VFIO_DEVICE_STATE_STOP_COPY)
		return begin(migration, &save_ops, O_RDONLY);
	if (state == VFIO_DEVICE_STATE_STOP && next == VFIO_DEVICE_STATE_RESUMING)
		return begin(migration, &resume_ops, O_WRONLY);
	if (state == VFIO_DEVICE_STATE_RESUMING && next == VFIO_DEVICE_STATE_STOP)
		ret = resume(migration);
	if (state == VFIO_DEVICE_STATE_STOP_COPY || state == VFIO_DEVICE_STATE_RESUMING)
		stream_end(migration);
	return ERR_PTR(ret);	/* 0: NULL */
}

static struct file *set_state(struct vfio_device *vdev, enum vfio_device_mig_state state)
{
	struct migration *migration = vgpu_device_migration(vdev);
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret;

	mutex_lock(&migration->lock);
	while (!IS_ERR(file) && migration->state != state) {
		ret = vfio_mig_get_next_state(vdev, migration->state, state, &next);
		if (ret) {
			file = ERR_PTR(ret);
			break;
		}
		file = step(migration, next);
		if (!IS_ERR(file))
			migration->state = next;
		/* A file means that data is transferred now, and no state follows that one. */
		if (WARN_ON(!IS_ERR_OR_NULL(file) && next != state)) {
			fput(file);
			file = ERR_PTR(-EINVAL);
		}
	}
	mutex_unlock(&migration->lock);
	return file;
}

static int get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct migration *migration = vgpu_device_migration(vdev);

	mutex_lock(&migration->lock);
	*state = migration->state;
	mutex_unlock(&migration->lock);
	return 0;
}

static int __maybe_unused get_data_size(struct vfio_device *vdev, unsigned long *size)
{
	*size = stream_size(vgpu_device_migration(vdev)->fn->card);
	return 0;
}

static const struct vfio_migration_ops ops = {
	.migration_set_state = set_state,
	.migration_get_state = get_state,
#if HAS_MIGRATION
	.migration_get_data_size = get_data_size,
#endif
};

void migration_init(struct vfio_device *vdev, struct fn *fn)
{
	struct migration *migration = vgpu_device_migration(vdev);

	mutex_init(&migration->lock);
	migration->fn = fn;
	migration->state = VFIO_DEVICE_STATE_RUNNING;
	if (!HAS_MIGRATION || fn->card->model->gvt || READ_ONCE(fn->card->knob[NO_MIGRATION]))
		return;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P;
	vdev->mig_ops = &ops;
}

void migration_open(struct vfio_device *vdev, const char *type, u32 colour)
{
	struct migration *migration = vgpu_device_migration(vdev);

	mutex_lock(&migration->lock);
	migration->type = type;
	migration->colour = colour;
	vgpu_device_paint(migration);
	mutex_unlock(&migration->lock);
}

void migration_reset(struct vfio_device *vdev)
{
	struct migration *migration = vgpu_device_migration(vdev);

	mutex_lock(&migration->lock);
	stream_end(migration);
	migration->state = VFIO_DEVICE_STATE_RUNNING;
	mutex_unlock(&migration->lock);
}
