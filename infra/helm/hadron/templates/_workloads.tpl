{{/*
A process as a Deployment: root, component (its label and the end of its name), args, resources, replicas, and, where
they apply, environment (more variables), signs (it has the key), maxReplicas (an autoscaler owns the number), alone (never two at once).
*/}}
{{- define "hadron.deployment" -}}
{{- if gt (int (max .replicas (default 0 .maxReplicas))) (int .root.Values.numShards) -}}
{{- fail (printf "%s: %d pods are more than numShards (%d); a pod without a shard would idle" .component (int (max .replicas (default 0 .maxReplicas))) (int .root.Values.numShards)) -}}
{{- end -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "hadron.fullname" .root }}-{{ .component }}
  labels:
    {{- include "hadron.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not .maxReplicas }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    {{- if .alone }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    # One shard owner goes before the next comes: no more members in the group than it had.
    rollingUpdate: {maxSurge: 0, maxUnavailable: 1}
    {{- end }}
  selector:
    matchLabels:
      {{- include "hadron.selectorLabels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      {{- include "hadron.podMetadata" (dict "root" .root "component" .component "serves" true) | nindent 6 }}
    spec:
      serviceAccountName: {{ include "hadron.serviceAccountName" .root }}
      {{- include "hadron.podBasics" . | nindent 6 }}
      {{- with .root.Values.topologyKey }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: {{ . | quote }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "hadron.selectorLabels" $.root | nindent 14 }}
              app.kubernetes.io/component: {{ $.component }}
      {{- end }}
      containers:
        - {{- include "hadron.container" (dict "root" .root "name" "hadron" "args" .args "resources" .resources "signs" .signs "environment" (print (include "hadron.kafkaCredentials" .root.Values.kafkaExistingSecret) "\n" (default "" .environment))) | nindent 10 }}
          ports:
            - {name: http, containerPort: {{ .root.Values.httpPort }}}
          {{- include "hadron.probes" .root | nindent 10 }}
{{- end -}}

{{/*
A Job that runs before install and upgrade: root, component, args, weight, environment. It must not need any other object
of the chart, which Helm makes only afterwards: so the namespace's own ServiceAccount, and no token of it.
*/}}
{{- define "hadron.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "hadron.fullname" .root }}-{{ .component }}
  labels:
    {{- include "hadron.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: {{ .weight | quote }}
    # A failed Job stays for its logs until the next try.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 3
  activeDeadlineSeconds: {{ .root.Values.jobDeadlineSeconds }}
  template:
    metadata:
      {{- include "hadron.podMetadata" (dict "root" .root "component" .component "serves" false) | nindent 6 }}
    spec:
      restartPolicy: Never
      {{- include "hadron.podBasics" . | nindent 6 }}
      containers:
        - {{- include "hadron.container" (dict "root" .root "name" "hadron" "args" .args "resources" .root.Values.jobResources "environment" .environment) | nindent 10 }}
{{- end -}}
