{{/* What this release's objects are called. */}}
{{- define "selfimprove.fullname" -}}
{{- $found := contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) -}}
{{- default $found .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What the operator is called: its Deployment, service account, roles and Lease. */}}
{{- define "selfimprove.operator" -}}
{{ include "selfimprove.fullname" . }}-operator
{{- end -}}

{{/* By which its pods are found. Never changes: a Deployment's selector is immutable. */}}
{{- define "selfimprove.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ quote .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "selfimprove.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ quote .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* An image by its last name: (list $ "sampler"). */}}
{{- define "selfimprove.image" -}}
{{- $ := index . 0 -}}
{{- $registry := required "image.registry is empty; say where the images were pushed: --set image.registry=registry.example.com/ml" $.Values.image.registry -}}
{{- printf "%s/selfimprove-%s:%s" (trimSuffix "/" $registry) (index . 1) (default $.Chart.AppVersion $.Values.image.tag) -}}
{{- end -}}

{{/* Where runs keep their artifacts: as given, or the quickstart's, never a mixture of both. */}}
{{- define "selfimprove.storage" -}}
{{- $quickstart := dict "uri" "s3://selfimprove/runs" "endpoint" "http://s3:8333" "region" "us-east-1" "credentialsSecretName" "s3-credentials" -}}
{{- default $quickstart .Values.defaults.storage | toYaml -}}
{{- end -}}

{{/* The workers' images by role. */}}
{{- define "selfimprove.workerImages" -}}
{{- $images := dict -}}
{{- range $role := list "sampler" "trainer" "verifier" -}}
{{- $image := include "selfimprove.image" (list $ ($.Values.cpu | ternary "cpu" $role)) -}}
{{- $_ := set $images $role (default $image (get $.Values.defaults.images $role)) -}}
{{- end -}}
{{- toYaml $images -}}
{{- end -}}

{{/* The operator's configuration, as selfimprove_operator.settings reads it. */}}
{{- define "selfimprove.config" -}}
watchNamespaces: {{ default list .Values.watchNamespaces | toJson }}
leaseNamespace: {{ quote .Release.Namespace }}
leaseName: {{ include "selfimprove.operator" . }}
port: 8080
resyncSeconds: {{ .Values.resyncSeconds }}
defaults:
  storage:
    {{- include "selfimprove.storage" . | nindent 4 }}
  images:
    {{- include "selfimprove.workerImages" . | nindent 4 }}
  execution:
    {{- default dict .Values.defaults.execution | toYaml | nindent 4 }}
  gpu:
    resourceName: {{ quote .Values.defaults.gpu.resourceName }}
    count: {{ .Values.cpu | ternary 0 .Values.defaults.gpu.count }}
  env:
    {{- default list .Values.defaults.env | toYaml | nindent 4 }}
  imagePullSecrets:
    {{- coalesce .Values.defaults.imagePullSecrets .Values.image.pullSecrets | default list | toYaml | nindent 4 }}
{{- end -}}

{{/* What the operator does where runs live. Status and owner references only: the spec is the user's. No Secrets. */}}
{{- define "selfimprove.operatorRules" -}}
- apiGroups: [selfimprove.dev]
  resources: [selfimprovementruns]
  verbs: [list, watch]
- apiGroups: [selfimprove.dev]
  resources: [selfimprovementruns/status]
  verbs: [patch]
# Asked of whoever makes a Job that its run can't be deleted before (OwnerReferencesPermissionEnforcement).
- apiGroups: [selfimprove.dev]
  resources: [selfimprovementruns/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [list, watch, create]
{{- end -}}
