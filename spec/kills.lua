--- Prints in how many different ends runs come that are killed at random moments and go on:
--- `make kills COUNT=300 SEED=1`; one end of each kind is right.

local kills = require "spec.support.kills"

local count, seed = ...
local text, is_right = kills.text(kills.kill(tonumber(count), tonumber(seed)))
print(text)
os.exit(is_right)
