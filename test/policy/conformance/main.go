// Compiles OPA's own test cases (module github.com/open-policy-agent/opa, v1/test/cases/testdata/v1) to WebAssembly with OPA's compiler, in one
// process, and writes them to standard output: per case a line of JSON, then the module. Says also what OPA itself answers where a case only
// states an error of its strict mode. Usage: conformance <folder of test cases>
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/util"
)

// One line before each module.
type header struct {
	Note                string `json:"note"`
	Folder              string `json:"folder"`
	Input               string `json:"input,omitempty"`
	Data                string `json:"data"`
	Want                any    `json:"want,omitempty"`
	WantError           bool   `json:"wantError"`
	SortBindings        bool   `json:"sortBindings"`
	IgnoreGeneratedVars bool   `json:"ignoreGeneratedVars"`
	// Why there is no module.
	Failure string `json:"failure,omitempty"`
	Bytes   int    `json:"bytes"`
}

type compiled struct {
	header header
	module []byte
}

func main() {
	set := cases.MustLoad(os.Args[1]).Sorted().Cases
	todo := make(chan cases.TestCase)
	done := make(chan compiled, 16)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for one := range todo {
				done <- compile(one)
			}
		}()
	}
	go func() {
		for _, one := range set {
			todo <- one
		}
		close(todo)
		workers.Wait()
		close(done)
	}()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for one := range done {
		one.header.Bytes = len(one.module)
		line, err := json.Marshal(one.header)
		if err != nil {
			panic(err)
		}
		out.Write(append(line, '\n'))
		out.Write(one.module)
	}
}

func compile(one cases.TestCase) compiled {
	head := header{Note: one.Note, Folder: filepath.Base(filepath.Dir(one.Filename)), Data: "{}", SortBindings: one.SortBindings, IgnoreGeneratedVars: one.IgnoreGeneratedVars}
	ctx := context.Background()
	options := []func(*rego.Rego){rego.Query(one.Query), rego.SetRegoVersion(ast.RegoV1)}
	if one.ExperimentalKeywords {
		options = append(options, rego.Capabilities(ast.CapabilitiesForThisVersion(ast.CapabilitiesExperimentalKeywords(true))))
	}
	for i, module := range one.Modules {
		options = append(options, rego.Module(fmt.Sprintf("test-%d.rego", i), module))
	}
	if one.Data != nil {
		head.Data = string(util.MustMarshalJSON(*one.Data))
	}
	var input *ast.Term
	if one.InputTerm != nil {
		input = ast.MustParseTerm(*one.InputTerm)
	} else if one.Input != nil {
		input = ast.NewTerm(ast.MustInterfaceToValue(*one.Input))
	}
	if input != nil {
		head.Input = input.String()
	}
	if one.WantResult != nil {
		head.Want = *one.WantResult
	} else if !one.StrictError {
		head.WantError = true
	} else if want, err := lenient(ctx, one, input, options); err != nil {
		head.WantError = true
	} else {
		head.Want = want
	}
	result, err := rego.New(options...).Compile(ctx)
	if err != nil {
		head.Failure = err.Error()
		return compiled{header: head}
	}
	return compiled{header: head, module: result.Bytes}
}

// What OPA answers without its strict mode, in which an error of a built-in is undefined.
func lenient(ctx context.Context, one cases.TestCase, input *ast.Term, options []func(*rego.Rego)) ([]map[string]any, error) {
	options = append([]func(*rego.Rego){}, options...)
	if one.Data != nil {
		options = append(options, rego.Store(inmem.NewFromObject(*one.Data)))
	}
	if input != nil {
		options = append(options, rego.ParsedInput(input.Value))
	}
	results, err := rego.New(options...).Eval(ctx)
	if err != nil {
		return nil, err
	}
	want := []map[string]any{}
	for _, result := range results {
		want = append(want, result.Bindings)
	}
	return want, nil
}
