package byguide

import (
	"path/filepath"

	"flwrup/flwrexec/config"
	"flwrup/internal/plainfile"
	"flwrup/internal/site"
	"flwrup/keys"
)

// ScriptName is the script of Flower's authentication example that makes keys.
const ScriptName = "generate_auth_keys.sh"

// Script is what flwrup sees of it.
type Script struct {
	Edit        config.Edit // to the number of SuperNodes; no change where there is no script
	Line        int         // of the number
	DeletesKeys bool        // before it makes new ones
}

// ReadScript reads the script in a project's folder.
func ReadScript(f site.Folder) Script {
	k := Script{Edit: config.Edit{File: filepath.Join(f.Dir, ScriptName)}}
	before, err := plainfile.Read(k.Edit.File)
	if err != nil {
		return k
	}
	k.DeletesKeys = keys.ScriptDeletesKeys(before)
	if after, line, _, err := keys.SetKeyCount(before, f.Choices.Nodes); err == nil {
		k.Edit.Before, k.Edit.After, k.Line = before, after, line
	}
	return k
}
