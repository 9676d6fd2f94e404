--- Prints how runs of several ranks end of which one is killed at a random moment, and in how many
--- ways they go on on other ranks: `make rank-kills COUNT=50 SEED=1`; one way is right.

local kills = require "spec.support.rank_kills"

local count, seed = ...
local text, is_right = kills.text(kills.kill(tonumber(count), tonumber(seed)))
print(text)
os.exit(is_right)
