-- name: ChannelState :one
select value from channel_state where channel = $1 and name = $2;

-- name: SaveChannelState :exec
insert into channel_state (channel, name, value) values ($1, $2, $3)
on conflict (channel, name) do update set value = excluded.value, at = now();
