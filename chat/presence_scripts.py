"""The scripts of `chat.presence_store`, in Lua: each change is one of them, so that it happens at
once for everybody, and by the server's clock.

Keys, all in one hash slot: ``workers`` (worker to end of its lease) and ``dying`` (workers whose
lease has ended); of a room ``readers`` (reader to number of sockets) and ``names``; of a worker
``rooms``, and of a worker in a room ``sockets`` (socket to reader). ``epoch`` is there for as
long as the server has not forgotten everything.
"""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# A worker without a lease, or from before the server forgot, is told so (0) and changes nothing.
_TENURE = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('GET', KEYS[2]) ~= ARGV[2] then
    return {0}
end
"""

REGISTER = f"""{_NOW}
redis.call('SET', KEYS[2], ARGV[2], 'NX')
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
return redis.call('GET', KEYS[2])
"""
"""Begins a tenure with a lease of ARGV[3] ms; gives the epoch: ARGV[2] if there was none."""

RENEW = f"""{_TENURE}{_NOW}
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
return {{1}}
"""
"""Extends the lease by ARGV[3] ms from now; 0 when there is none to extend."""

ENTER = f"""{_TENURE}
local arrived = {{}}
for i = 4, #ARGV, 3 do
    local socket, reader, name = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if redis.call('HSETNX', KEYS[6], socket, reader) == 1
        and redis.call('HINCRBY', KEYS[3], reader, 1) == 1 then
        arrived[#arrived + 1] = reader
    end
    redis.call('HSET', KEYS[4], reader, name)
end
redis.call('SADD', KEYS[5], ARGV[3])
return {{1, redis.call('HLEN', KEYS[3]), arrived}}
"""
"""Counts sockets in (from ARGV[4]: socket, reader, name); gives who was not there before."""

_TAKE_OUT = """
local function take_out(sockets, readers, names, socket, reader)
    redis.call('HDEL', sockets, socket)
    if redis.call('HINCRBY', readers, reader, -1) > 0 then
        return nil
    end
    local name = redis.call('HGET', names, reader)
    redis.call('HDEL', readers, reader)
    redis.call('HDEL', names, reader)
    return name or ''
end
"""

LEAVE = f"""{_TENURE}{_TAKE_OUT}
local gone = {{}}
local reader = redis.call('HGET', KEYS[6], ARGV[4])
if reader then
    local name = take_out(KEYS[6], KEYS[3], KEYS[4], ARGV[4], reader)
    if name then
        gone = {{reader, name}}
    end
end
if redis.call('EXISTS', KEYS[6]) == 0 then
    redis.call('SREM', KEYS[5], ARGV[3])
end
return {{1, redis.call('HLEN', KEYS[3]), gone}}
"""
"""Counts the socket ARGV[4] out; gives reader and name if it was the last."""

REAP = f"""{_NOW}{_TAKE_OUT}
local prefix = ARGV[1]
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 10)) do
    redis.call('ZREM', KEYS[1], worker)
    redis.call('SADD', KEYS[3], worker)
end
local worker = redis.call('SRANDMEMBER', KEYS[3])
if not worker then
    return {{0}}
end
local rooms = prefix .. 'rooms:' .. worker
local book = redis.call('SRANDMEMBER', rooms)
if not book then
    redis.call('SREM', KEYS[3], worker)
    return {{1}}
end
local sockets = prefix .. 'sockets:' .. worker .. ':' .. book
local readers, names = prefix .. 'readers:' .. book, prefix .. 'names:' .. book
local gone = {{}}
local some = redis.call('HRANDFIELD', sockets, ARGV[2], 'WITHVALUES')
for i = 1, #some, 2 do
    local name = take_out(sockets, readers, names, some[i], some[i + 1])
    if name then
        gone[#gone + 1] = some[i + 1]
        gone[#gone + 1] = name
    end
end
if redis.call('EXISTS', sockets) == 0 then
    redis.call('SREM', rooms, book)
end
return {{1, redis.call('HLEN', readers), gone, book}}
"""
"""Takes out a portion of one room of one dead worker; whoever calls gets to announce it."""
