package postgres

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
)

// ownerPing is how often an owner proves that its session, and so its lock,
// is still alive. A dead owner's lock is free as soon as the server sees the
// closed socket: at once after a kill.
const ownerPing = 2 * time.Second

// Ownership is the session advisory lock of one channel account, with the
// epoch under which this owner claims and marks outbox rows.
type Ownership struct {
	Epoch int64
	// Paused is how long the network still asks not to be sent to; an owner
	// before this one was told.
	Paused time.Duration
	// Out is true where an owner before this one found the account logged out,
	// OutFor since how long.
	Out    bool
	OutFor time.Duration
	conn   *pgx.Conn
}

// TryOwn takes the lock of a channel account if nobody holds it. It returns
// nil without an error when somebody does.
func (d *DB) TryOwn(ctx context.Context, channel string) (*Ownership, error) {
	conn, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, fmt.Errorf("connect for the lock of channel %s: %w", channel, err)
	}
	var held bool
	err = conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, lockKey(channel)).Scan(&held)
	if err != nil || !held {
		conn.Close(ctx)
		if err != nil {
			return nil, fmt.Errorf("take the lock of channel %s: %w", channel, err)
		}
		return nil, nil
	}
	o := &Ownership{conn: conn}
	err = conn.QueryRow(ctx, `insert into channel_owner (channel, epoch) values ($1, 1)
		on conflict (channel) do update set epoch = channel_owner.epoch + 1, since = now()
		returning epoch, greatest(coalesce(paused_until - now(), '0'), '0'), out_since is not null, coalesce(now() - out_since, '0')`,
		channel).Scan(&o.Epoch, &o.Paused, &o.Out, &o.OutFor)
	if err != nil {
		conn.Close(ctx)
		return nil, fmt.Errorf("raise the epoch of channel %s: %w", channel, err)
	}
	return o, nil
}

// Watch returns when ctx ends or the session is lost, with the reason of the
// loss. The caller must then stop sending: another process may own the
// channel by now. Rows in flight are protected by their epoch.
func (o *Ownership) Watch(ctx context.Context) error {
	tick := time.NewTicker(ownerPing)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		ping, cancel := context.WithTimeout(ctx, ownerPing)
		err := o.conn.Ping(ping)
		cancel()
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("the lock session is lost: %w", err)
		}
	}
}

// Release gives the channel up by closing the session that holds its lock.
func (o *Ownership) Release() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	o.conn.Close(ctx)
}

func lockKey(channel string) int64 {
	h := fnv.New64a()
	h.Write([]byte("channel:" + channel))
	return int64(h.Sum64())
}

// IsOwned tells whether any process holds the lock of a channel account.
func (d *DB) IsOwned(ctx context.Context, channel string) (bool, error) {
	key := uint64(lockKey(channel))
	var held bool
	err := d.pool.QueryRow(ctx, `select exists (select 1 from pg_locks where locktype = 'advisory' and granted
		and classid = $1::bigint::oid and objid = $2::bigint::oid and objsubid = 1)`,
		int64(key>>32), int64(key&0xffffffff)).Scan(&held)
	if err != nil {
		return false, fmt.Errorf("look who owns channel %s: %w", channel, err)
	}
	return held, nil
}
