package fleet

// KeepOrReplace is for a test that looks at the fleet through the steps above it.
var KeepOrReplace = keepOrReplace
