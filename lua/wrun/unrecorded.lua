--- The kernels on tensors as the core has them: they record nothing, whatever their arguments want.
--- For computing with what is known to need no gradient, and for kernels whose gradient is made of
--- others (`sort` gathers). What records is in `wrun.operations`, under the same names.

return require("wrun.core").unrecorded
